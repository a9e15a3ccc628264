"""What uv really says, in its present and in an earlier layout, and what the user is told."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.environments import interpreters, locks, uv
from estiva.environments.explanations import disk_full, explain, not_on_pypi
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification
from tests.environments.conftest import PackageIndex, Wheels


@pytest.fixture(autouse=True)
def no_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def failure(spec: EnvironmentSpecification, tmp_path: Path) -> EnvironmentException:
    """What the user is told when `spec` is resolved."""
    with pytest.raises(EnvironmentException) as caught:
        locks.resolve(
            spec,
            interpreters.find(None, sys.executable),
            cache=tmp_path / "locks",
            on_line=lambda _: None,
            cancelled=lambda: False,
        )
    assert caught.value.detail
    return caught.value


def asking(*packages: str, index: str) -> EnvironmentSpecification:
    return EnvironmentSpecification(name="e", pip_packages=packages, pip_options=(f"--index-url {index}",))


def test_a_package_that_does_not_exist(wheels: Wheels, tmp_path: Path) -> None:
    error = failure(wheels.specification("no-such-thing"), tmp_path)
    assert error.code == "PackageNotFound"
    assert error.message.startswith(
        "The package index has no package named no-such-thing. Check the spelling"
    )


@pytest.mark.network
def test_a_package_that_no_index_has(tmp_path: Path) -> None:
    error = failure(EnvironmentSpecification(name="e", pip_packages=("estiva-no-such-thing",)), tmp_path)
    assert error.code == "PackageNotFound"
    assert "has no package named estiva-no-such-thing." in error.message


def test_a_version_that_does_not_exist(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    error = failure(wheels.specification("thing==9"), tmp_path)
    assert error.code == "PackageNotFound"
    assert "has no thing==9. " in error.message


def test_a_range_that_no_version_is_in(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    error = failure(wheels.specification("thing>=9"), tmp_path)
    assert error.code == "PackageNotFound"
    assert "has no thing>=9. It has thing==1.0." in error.message


def test_a_version_between_those_that_exist(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    wheels.make("thing", "3.0")
    error = failure(wheels.specification("thing==2.*"), tmp_path)
    assert error.code == "PackageNotFound"
    assert "The package index has no thing==2.*. Take a version that it has" in error.message


def test_a_conda_package_that_pypi_does_not_have(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    error = failure(wheels.specification(conda_packages=("thing=9.1=py311_0",)), tmp_path)
    assert error.code == "CondaPackageNotOnPyPI"
    assert "thing=9.1=py311_0. Name what PyPI has (below `pip:` in the conda file)" in error.message


def test_requirements_that_exclude_each_other(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0", needs=("part>=2,<3",))
    wheels.make("thing", "0.9")
    wheels.make("thing", "1.1")
    wheels.make("part", "1.0")
    wheels.make("part", "2.0")
    error = failure(wheels.specification("thing==1.0", "part<2"), tmp_path)
    assert error.code == "VersionConflict"
    assert error.message == (
        "The requirements exclude each other: thing==1.0 depends on part>=2,<3; you require thing==1.0; "
        "you require part<2. Loosen or change one of them."
    )


def test_two_pins_of_one_package(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    wheels.make("thing", "2.0")
    error = failure(wheels.specification("thing==1.0", "thing==2.0"), tmp_path)
    assert error.code == "VersionConflict"
    assert "you require thing==1.0 and thing==2.0." in error.message


def test_a_package_for_another_python(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0", python=">=3.99")
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "VersionConflict"
    assert "thing==1.0 needs Python >=3.99, but the environment has another." in error.message


def test_a_package_without_a_wheel_for_this_platform(wheels: Wheels, tmp_path: Path) -> None:
    wheels.make("thing", "1.0", tag="cp36-cp36m-win32")
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "NoWheel"
    assert error.message.startswith("thing")
    assert "not published for this Python and platform." in error.message


def source_distribution(folder: Path, backend: str) -> Path:
    """An archive of a package that its own module `backend.py` builds, so that nothing else is needed."""
    root = folder / "thing-1.0"
    root.mkdir()
    (root / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    (root / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    (root / "backend.py").write_text(backend)
    return Path(shutil.make_archive(str(root), "gztar", folder, root.name))


def test_a_build_that_fails(wheels: Wheels, tmp_path: Path) -> None:
    source_distribution(wheels.folder, "raise RuntimeError('the model is too round')\n")
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "BuildFailed"
    assert error.message.startswith(
        "thing==1.0 has no ready-made wheel for this Python, and building it here failed"
    )
    assert "RuntimeError: the model is too round." in error.message


def test_a_build_that_fails_without_a_word(wheels: Wheels, tmp_path: Path) -> None:
    source_distribution(wheels.folder, "import sys; print('Trying this'); sys.exit(7)\n")
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "BuildFailed"
    assert "Trying this" in error.message


def test_a_build_without_its_compiler(wheels: Wheels, tmp_path: Path) -> None:
    source_distribution(
        wheels.folder,
        "import sys; sys.exit(\"error: command 'no-such-gcc' failed: No such file or directory\")\n",
    )
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "BuildFailed"
    assert "it needs no-such-gcc, which is not on this machine." in error.message


def test_an_index_that_cannot_be_reached(tmp_path: Path) -> None:
    error = failure(asking("thing", index="http://127.0.0.1:9/simple"), tmp_path)
    assert error.code == "IndexUnreachable"
    assert "cannot be reached (http://127.0.0.1:9/simple/thing/): Connection refused. Check" in error.message


def test_a_host_that_does_not_exist(tmp_path: Path) -> None:
    error = failure(asking("thing", index="http://packages.invalid/simple"), tmp_path)
    assert error.code == "IndexUnreachable"
    assert "(http://packages.invalid/simple/thing/): failed to lookup address" in error.message


def test_a_file_that_is_not_there(index: PackageIndex, tmp_path: Path) -> None:
    url = f"{index.url.removesuffix('/simple')}/simple/thing-1.0-py3-none-any.whl"
    error = failure(asking(f"thing @ {url}", index=index.url), tmp_path)
    assert error.code == "PackageNotFound"
    assert f"There is nothing at {url}" in error.message


def test_a_local_file_that_is_not_there(wheels: Wheels, tmp_path: Path) -> None:
    url = f"file://{wheels.folder}/thing-1.0-py3-none-any.whl"
    error = failure(wheels.specification(f"thing @ {url}"), tmp_path)
    assert error.code == "PackageNotFound"
    assert f"There is nothing at {url}" in error.message


def test_find_links_that_are_not_there(wheels: Wheels, tmp_path: Path) -> None:
    wheels.folder.rmdir()
    error = failure(wheels.specification("thing"), tmp_path)
    assert error.code == "IndexUnreachable"
    assert f"An option names {wheels.folder}, which is no folder" in error.message


@pytest.fixture
def untrusted_index(index: PackageIndex, tmp_path: Path) -> Iterator[str]:
    """An index over TLS whose certificate nobody signed."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([openssl, *request, *names, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with PackageIndex(Wheels(tmp_path)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.handle_error = lambda *_: None  # type: ignore[method-assign]  # the refused handshakes
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"https://localhost:{server.server_port}/simple"
        server.shutdown()
        thread.join(10)


def test_a_certificate_that_is_not_trusted(untrusted_index: str, tmp_path: Path) -> None:
    error = failure(asking("thing", index=untrusted_index), tmp_path)
    assert error.code == "CertificateFailed"
    assert f"The certificate of {untrusted_index.removesuffix('/simple')} is not trusted." in error.message


def test_a_file_that_is_not_the_one_that_was_locked(wheels: Wheels, tmp_path: Path) -> None:
    path = wheels.make("thing", "1.0")
    asked = tmp_path / "requirements.txt"
    asked.write_text(f"thing @ file://{path} --hash=sha256:{'0' * 64}\n")
    outcome = uv.run(
        ["pip", "install", "--require-hashes", "-r", str(asked), "--target", str(tmp_path / "t")]
    )
    error = explain(outcome.stderr)
    assert error.code == "HashMismatch"
    assert "The file that the package index gave for thing @ file://" in error.message


EARLIER_LAYOUT = """\
  \u00d7 No solution found when resolving dependencies:
  ╰─▶ Because thing==1.0 depends on part>=2,<3 and
      you require thing==1.0, we can conclude that you
      require part>=2,<3.
      And because you require part<2, we can conclude that your
      requirements are unsatisfiable.

      hint: Something that helps.
"""


def test_the_layout_of_earlier_releases() -> None:
    error = explain(EARLIER_LAYOUT)
    assert error.code == "VersionConflict"
    assert error.message == (
        "The requirements exclude each other: thing==1.0 depends on part>=2,<3; you require thing==1.0; "
        "you require part<2. Loosen or change one of them. uv's hint: Something that helps."
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("error: Failed to install: x\n  cause: No space left on device (os error 28)", "DiskFull"),
        ("error: failed to copy file: Disk quota exceeded (os error 122)", "DiskFull"),
        ("Failed to fetch: `https://x.example/a/` cause: HTTP error (401 Unauthorized)", "IndexUnreachable"),
        ("error: something new\n", "EnvironmentFailed"),
        ("", "EnvironmentFailed"),
    ],
)
def test_what_cannot_easily_be_made_to_happen(text: str, code: str) -> None:
    error = explain(text)
    assert error.code == code
    assert error.detail == text


def test_what_nothing_explains_ends_with_the_last_lines() -> None:
    assert explain("one\ntwo\n").message == "The environment could not be built. uv said last: one | two"


def test_a_full_disk_and_a_conda_package_are_said_the_same_way_elsewhere() -> None:
    assert disk_full("/data").message.startswith("The disk is full: /data has no room for the environment.")
    assert "On PyPI, pytorch is called torch." in not_on_pypi(["pytorch"], hints={"pytorch": "torch"}).message
