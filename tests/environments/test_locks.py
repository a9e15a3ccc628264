from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from estiva.environments import Environments, interpreters, locks
from estiva.environments.compilation import Preference
from estiva.errors import EnvironmentException, UserErrorException
from estiva.records import CondaPackage, EnvironmentSpecification, Lock
from tests.environments.conftest import PackageIndex, Wheels

WRONG_HASH = f"sha256:{'0' * 64}"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "locks"


def resolve(
    spec: EnvironmentSpecification, cache: Path, lines: list[str] | None = None, prefer: Lock | None = None
) -> Lock:
    told = [] if lines is None else lines
    return locks.resolve(
        spec,
        interpreters.find(None, sys.executable),
        cache=cache,
        on_line=told.append,
        cancelled=lambda: False,
        preference=Preference(prefer),
    )


def hash_of(path: Path) -> str:
    import hashlib

    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def test_a_lock_has_every_package_with_its_hashes(wheels: Wheels, cache: Path) -> None:
    part, thing = wheels.make("part", "2.0"), wheels.make("thing", "1.0", needs=("part",))
    spec = wheels.specification("thing")
    lock = resolve(spec, cache)
    assert lock.requirements == (
        f"--no-index\n--find-links {wheels.folder}\n"
        f"part==2.0 \\\n    --hash={hash_of(part)}\nthing==1.0 \\\n    --hash={hash_of(thing)}\n"
    )
    assert locks.packages(lock) == ("part==2.0", "thing==1.0")
    assert lock.python_version in sys.version
    assert lock.notices == ()
    assert not lock.borrowed


def test_a_specification_without_packages_needs_no_uv(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interpreters.find(None, sys.executable)
    monkeypatch.setattr(subprocess, "Popen", None)
    spec = EnvironmentSpecification(name="e", pip_packages=("azureml-defaults",))
    assert resolve(spec, cache).requirements == ""
    assert not cache.exists()


def test_it_is_resolved_once(wheels: Wheels, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheels.make("thing", "1.0")
    first = resolve(wheels.specification("thing"), cache)
    wheels.make("thing", "2.0")
    monkeypatch.setattr(subprocess, "Popen", None)
    again = resolve(wheels.specification("thing", name="another", variables={"A": "b"}), cache)
    assert again == first
    assert again.digest == first.digest


@pytest.mark.parametrize("damage", ["", "{", '{"python": 3}'])
def test_a_damaged_lock_is_resolved_again(wheels: Wheels, cache: Path, damage: str) -> None:
    wheels.make("thing", "1.0")
    first = resolve(wheels.specification("thing"), cache)
    (kept,) = cache.glob("*.json")
    kept.write_text(damage)
    assert resolve(wheels.specification("thing"), cache) == first


def test_notices_tell_what_was_substituted(wheels: Wheels, cache: Path) -> None:
    wheels.make("thing", "1.0")
    spec = wheels.specification("azureml-core", conda_packages=("thing=1",))
    expected = (
        "Provided by the scoring server instead of being installed: azureml-core.",
        "Conda packages are installed from PyPI: thing==1.*.",
    )
    assert resolve(spec, cache).notices == expected
    assert resolve(spec, cache).notices == expected


def test_another_patch_release_of_python_is_told(cache: Path) -> None:
    version = "{}.{}.99".format(*sys.version_info)
    (notice,) = resolve(EnvironmentSpecification(name="e", python_version=version), cache).notices
    assert notice.startswith(f"Python {version} is not on this machine; ")


def test_hashes_that_the_user_gave_are_the_only_ones_in_the_lock(wheels: Wheels, cache: Path) -> None:
    allowed = hash_of(wheels.make("thing", "1.0"))
    wheels.make("thing", "1.0", tag="py2.py3-none-any", source="# another file\n")
    lock = resolve(wheels.specification(f"Thing==1.0 --hash={WRONG_HASH} --hash={allowed}"), cache)
    assert lock.requirements.count("--hash") == 1
    assert f"thing==1.0 \\\n    --hash={allowed}" in lock.requirements


def test_hashes_that_no_file_has_are_refused(wheels: Wheels, cache: Path) -> None:
    wheels.make("thing", "1.0")
    with pytest.raises(EnvironmentException, match=r"None of the hashes .* for thing==1\.0") as caught:
        resolve(wheels.specification(f"thing==1.0 --hash={WRONG_HASH}"), cache)
    assert caught.value.code == "HashMismatch"


def test_a_file_that_changed_is_resolved_anew(wheels: Wheels, cache: Path) -> None:
    path = wheels.make("thing", "1.0")
    spec = wheels.specification(f"thing @ file://{path}")
    first = resolve(spec, cache)
    assert locks.packages(first) == (f"thing @ file://{path}",)
    os.utime(wheels.make("thing", "1.0", source="more = True\n"), (1, 1))
    assert resolve(spec, cache).digest != first.digest


def test_options_reach_uv(wheels: Wheels, index: PackageIndex, cache: Path) -> None:
    wheels.make("thing", "1.0")
    wheels.make("thing", "2.0rc1")
    options = (f"--index-url {index.url}", "--pre", "--trusted-host 127.0.0.1", "--prefer-binary")
    spec = EnvironmentSpecification(name="e", pip_packages=("thing",), pip_options=options)
    lock = resolve(spec, cache)
    assert locks.packages(lock) == ("thing==2.0rc1",)
    assert lock.requirements.startswith(f"--index-url {index.url}\nthing==2.0rc1 \\\n")


def test_cancelling_ends_it(index: PackageIndex, cache: Path) -> None:
    index.silent = True
    options = (f"--index-url {index.url}",)
    spec = EnvironmentSpecification(name="e", pip_packages=("thing",), pip_options=options)
    with pytest.raises(EnvironmentException) as caught:
        locks.resolve(
            spec,
            interpreters.find(None, sys.executable),
            cache=cache,
            on_line=lambda _: None,
            cancelled=index.asked.is_set,
        )
    assert caught.value.code == "Cancelled"
    assert {path.suffix for path in cache.iterdir()} == {".lock"}


def test_a_borrowed_environment_is_listed_as_it_is() -> None:
    spec = EnvironmentSpecification(name="e", borrowed_from=sys.executable)
    lock = locks.borrow(spec, interpreters.find(None, sys.executable))
    assert lock.borrowed
    assert f"pytest=={pytest.__version__}" in locks.packages(lock)
    assert f"{locks.FOLDER_PREFIX}{Path(pytest.__file__).parent.parent}\n" in lock.requirements
    (notice,) = lock.notices
    assert notice.startswith("No environment was given: the service uses the ")
    assert f"packages of {sys.executable} (Python " in notice
    assert notice.endswith("reaches the service at its next start; give an environment to pin them.")


def test_an_environment_to_borrow_that_is_broken_is_named(tmp_path: Path) -> None:
    spec = EnvironmentSpecification(name="e", borrowed_from=str(tmp_path / "python"))
    with pytest.raises(EnvironmentException, match="cannot be listed") as caught:
        locks.borrow(spec, interpreters.find(None, sys.executable))
    assert caught.value.code == "PythonNotFound"


def test_versions_of_a_lock_are_preferred_where_they_fit(wheels: Wheels, cache: Path) -> None:
    for name in ("one", "other"):
        wheels.make(name, "1.0")
    before = resolve(wheels.specification("one", "other"), cache)
    for name in ("one", "other", "third"):
        wheels.make(name, "2.0")
    spec = wheels.specification("one", "other>1", "third")
    assert locks.packages(resolve(spec, cache, prefer=before)) == ("one==1.0", "other==2.0", "third==2.0")
    assert locks.packages(resolve(spec, cache)) == ("one==2.0", "other==2.0", "third==2.0")


def renewed(spec: EnvironmentSpecification, before: Lock, *packages: str) -> tuple[str, ...]:
    environments = Environments(Path("/nowhere"), Path("/nowhere"))
    lock = environments.renew(spec, sys.executable, before, packages, lambda _: None, lambda: False)
    return locks.packages(lock)


def test_a_lock_is_renewed_whole_or_in_part(wheels: Wheels, cache: Path) -> None:
    spec = wheels.specification("one", "other")
    for name in ("one", "other"):
        wheels.make(name, "1.0")
    before = resolve(spec, cache)
    for name in ("one", "other"):
        wheels.make(name, "2.0")
    assert renewed(spec, before, "Other") == ("one==1.0", "other==2.0")
    assert renewed(spec, before) == ("one==2.0", "other==2.0")
    assert resolve(spec, cache) == before
    with pytest.raises(UserErrorException, match=r'no package "third"\. It has: one, other'):
        renewed(spec, before, "third")


def test_a_source_beside_a_wheel_is_never_run(wheels: Wheels, cache: Path, tmp_path: Path) -> None:
    wheels.make("thing", "1.0")
    setup = (
        f"open({str(tmp_path / 'ran')!r}, 'w').close()\nimport setuptools\nsetuptools.setup(name='thing')\n"
    )
    with tarfile.open(wheels.folder / "thing-1.0.tar.gz", "w:gz") as archive:
        for name, text in (("setup.py", setup), ("PKG-INFO", "Metadata-Version: 1.1\nName: thing\n")):
            entry = tarfile.TarInfo(f"thing-1.0/{name}")
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    assert locks.packages(resolve(wheels.specification("thing"), cache)) == ("thing==1.0",)
    assert not (tmp_path / "ran").exists()


def test_what_is_shown_has_no_credentials() -> None:
    requirements = "--index-url https://me:secret@example.org/simple\nthing==1.0\n"
    url = "https://me:secret@example.org/noarch/thing-1.0-0.conda"
    conda = CondaPackage(name="thing", version="1.0", build="0", subdir="noarch", url=url, sha256="0" * 64)
    lock = Lock(python="", python_version="3.11.7", platform="p", requirements=requirements, conda=(conda,))
    assert "secret" not in locks.masked(lock).model_dump_json()
    assert locks.masked(lock).model_dump_json().count("https://me:***@example.org/") == 2
