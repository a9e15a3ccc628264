"""Requirements files and single requirements, right and wrong."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.errors import UserErrorException
from estiva.records import EnvironmentSpecification
from estiva.specification import check_requirement, option_values, parse_pip, split_hashes

HASH = "sha256:" + "0a" * 32
WHOLE = f"""\
# what the model was trained with
-i https://packages.example.org/simple
--extra-index-url=https://more.example.org/simple --pre
-f /srv/wheels

numpy >= 1.26, < 2   # not yet 2
uvicorn[standard]==0.30.1; python_version < "3.13"
scikit-learn\\
    ==1.5.0
six==1.17.0 \\
    --hash={HASH} \\
    --hash={HASH}
model @ https://files.example.org/model-1.0.tar.gz#sha256=0a
https://files.example.org/My_Model-1.0-py3-none-any.whl
git+https://git.example.org/team/tools@v1#egg=team-tools
"""


def test_a_whole_file() -> None:
    spec = parse_pip(WHOLE, name="e")
    assert spec.pip_options == (
        "--index-url https://packages.example.org/simple",
        "--extra-index-url https://more.example.org/simple",
        "--pre",
        "--find-links /srv/wheels",
    )
    assert spec.pip_packages == (
        "numpy >= 1.26, < 2",
        'uvicorn[standard]==0.30.1; python_version < "3.13"',
        "scikit-learn     ==1.5.0",
        f"six==1.17.0 --hash={HASH} --hash={HASH}",
        "model @ https://files.example.org/model-1.0.tar.gz#sha256=0a",
        "my-model @ https://files.example.org/My_Model-1.0-py3-none-any.whl",
        "team-tools @ git+https://git.example.org/team/tools@v1#egg=team-tools",
    )
    assert spec.python_version is None
    assert spec.conda_packages == ()


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    assert parse_pip("\ufeff" + WHOLE.replace("\n", "\r\n"), name="e") == parse_pip(WHOLE, name="e")


def test_an_empty_file_asks_for_nothing() -> None:
    assert parse_pip("\n# nothing\n", name="e").pip_packages == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("six\n-r more.txt", 'requirements, line 2: "-r more.txt" names a file that does not travel'),
        ("-rmore.txt", "copy the lines of that file here"),
        ("-e .", "build a wheel of that folder"),
        ("--editable=.", "build a wheel of that folder"),
        ("-c pins.txt", "write the versions that it pins at the packages themselves"),
        ("--index-ur https://x", 'is not an option that is supported here; did you mean "--index-url"?'),
        ("--target /x", '"--target" is not an option that is supported here.'),
        ("--index-url", "--index-url needs a value."),
        ("--index-url --pre", "--index-url needs a value."),
        ("--find-links ./wheels", "is a relative path; write the absolute path or a URL."),
        ("--find-links '/my wheels'", "has a space or a quotation mark"),
        ("--find-links '/my", "has a quotation mark without its pair."),
        ("six\n\nnumpy=1.26", 'line 3: "numpy=1.26" is not a requirement: expected semicolon'),
        ("numpy=1.26", 'at column 6. Did you mean "numpy==1.26"?'),
        ("numpy[x] 1.26", 'Did you mean "numpy[x]==1.26"?'),
        ("six\\\n  ==", "line 1:"),
        ("./six-1.0.tar.gz", '"./six-1.0.tar.gz" is a path; write NAME @ file:///ABSOLUTE/PATH instead.'),
        ("six-1.0-py3-none-any.whl", "is a path"),
        ("six @ file:///srv/six", "is a folder, which may change unseen; build a wheel"),
        ("https://files.example.org/six", "does not tell the package's name; write NAME @ https"),
        ("six==1.0 --hash=md5:12", '"--hash=md5:12" is not a hash'),
        ("six --global-option=x", '"six --global-option=x" is not a requirement'),
        ("caf\u00e9==1", "is not a requirement"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(UserErrorException) as caught:
        parse_pip(text, name="e")
    assert message in caught.value.message
    assert caught.value.code == "SpecificationInvalid"


def test_a_requirement_keeps_the_words_of_the_user() -> None:
    assert check_requirement("  NumPy >=1.26 ") == "NumPy >=1.26"


def test_hashes_are_told_apart() -> None:
    assert split_hashes(f"six==1.17.0 --hash={HASH} --hash {HASH}") == ("six==1.17.0", (HASH, HASH))


def test_values_of_an_option() -> None:
    options = ("--pre", "--trusted-host a.example.org", "--trusted-host b.example.org")
    assert option_values(options, "--trusted-host") == ("a.example.org", "b.example.org")
    assert option_values(options, "--pre") == ("",)
    assert option_values(options, "--no-index") == ()


@given(st.text() | st.text("six=<>!~.,;@:/-rfe#\\'\"[] \n\t1"))
def test_any_text_is_read_or_refused(text: str) -> None:
    spec = EnvironmentSpecification(name="e")
    with contextlib.suppress(UserErrorException):
        spec = parse_pip(text, name="e")
    again = "\n".join([*spec.pip_options, *spec.pip_packages])
    assert parse_pip(again, name="e") == spec
