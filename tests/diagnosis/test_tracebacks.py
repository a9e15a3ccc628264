from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.diagnosis.tracebacks import plain, read
from estiva.records import Traceback

CHAINED = """\
loading
Traceback (most recent call last):
  File "/apps/1/source/score.py", line 9, in init
    read()
    ~~~~^^
  File "/apps/1/source/loading/files.py", line 3, in read
    raise KeyError("a")
KeyError: 'a'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/apps/1/source/score.py", line 11, in init
    raise pkg.errors.LoadError(
  File "/env/lib/python3.11/site-packages/pkg/errors.py", line 2, in __init__
    super().__init__()
pkg.errors.LoadError: no a

in two paragraphs
estiva-server: init() in source/score.py raised LoadError: no a
""".splitlines()


def test_a_chain_is_read_with_the_users_own_last_places() -> None:
    assert read(CHAINED, "source/score.py") == (
        Traceback(
            file="source/loading/files.py",
            line=3,
            function="read",
            source='raise KeyError("a")',
            exception="KeyError",
            message="'a'",
        ),
        Traceback(
            file="source/score.py",
            line=11,
            function="init",
            source="raise pkg.errors.LoadError(",
            exception="pkg.errors.LoadError",
            message="no a\n\nin two paragraphs",
            package="pkg",
        ),
    )


def test_only_the_last_chain_counts() -> None:
    earlier = ["Traceback (most recent call last):", '  File "/a/x.py", line 1, in f', "OSError: earlier"]
    assert read([*earlier, *CHAINED], "source/score.py") == read(CHAINED, "source/score.py")


def test_times_are_taken_off() -> None:
    timed = [f"2026-11-23T23:05:00.123Z {line}" for line in CHAINED]
    assert plain(timed) == CHAINED
    assert read(timed, "source/score.py") == read(CHAINED, "source/score.py")


def test_a_syntax_error_is_where_it_points_even_without_a_header() -> None:
    (found,) = read(
        [
            '  File "/apps/1/score.py", line 3',
            "    if x",
            "        ^",
            "SyntaxError: expected ':'",
        ],
        "score.py",
    )
    assert (found.file, found.line, found.function) == ("score.py", 3, "")
    assert found.source == "if x\n    ^"
    assert (found.exception, found.message) == ("SyntaxError", "expected ':'")


def test_an_exception_in_a_library_is_at_the_users_line_that_called_it() -> None:
    (found,) = read(
        [
            "Traceback (most recent call last):",
            '  File "/apps/1/score.py", line 4, in <module>',
            "    import json; json.loads('x')",
            '  File "/usr/lib/python3.12/json/__init__.py", line 346, in loads',
            "    return _default_decoder.decode(s)",
            "  [Previous line repeated 3 more times]",
            "json.decoder.JSONDecodeError: Expecting value",
        ],
        "score.py",
    )
    assert (found.file, found.line, found.function) == ("score.py", 4, "")
    assert found.source == "import json; json.loads('x')"


def test_what_is_cut_off_is_no_traceback() -> None:
    assert read(CHAINED[:7], "source/score.py") == ()
    assert read([]) == ()


LINES = st.one_of(
    st.text(max_size=60),
    st.sampled_from(CHAINED),
    st.builds('  File "{}", line {}, in {}'.format, st.text(max_size=20), st.integers(), st.text(max_size=9)),
)


@given(st.lists(LINES, max_size=40), st.text(max_size=10))
def test_no_log_makes_it_raise(lines: list[str], entry_script: str) -> None:
    for found in read(lines, entry_script):
        assert found.exception


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80))
def test_what_python_prints_is_read_back(message: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        fail(message)
    printed = "".join(traceback.format_exception(caught.value)).split("\n")
    (found,) = read(printed)
    assert found.exception == "ValueError"
    assert found.file == __file__
    assert found.function == "fail"


def fail(message: str) -> None:
    raise ValueError(message)
