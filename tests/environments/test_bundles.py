from __future__ import annotations

import io
import json
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from estiva.environments import Environments, locks
from estiva.environments.platforms import conda_name
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock
from tests.environments.conda_channels import CondaChannel, served
from tests.environments.conftest import SERVER_SOURCE, Wheels

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("bundles")]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Environments:
    """Another machine's environments."""
    return Environments(tmp_path / "elsewhere", SERVER_SOURCE)


def exported(environments: Environments, spec: EnvironmentSpecification, target: Path) -> Lock:
    lock = environments.lock(spec, sys.executable, lambda _: None, lambda: False)
    environments.export(spec, lock, target, lambda _: None, lambda: False)
    return lock


def unpacked(environments: Environments, bundle: Path) -> tuple[EnvironmentSpecification, Lock]:
    return environments.unpack(bundle, sys.executable, lambda _: None, lambda: False)


def without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """An index and a proxy at which nobody listens, and no cache that could help."""
    for name in ("PIP_INDEX_URL", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")


def asked(python: str, program: str) -> str:
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_bundle_builds_where_there_is_no_network(
    environments: Environments,
    elsewhere: Environments,
    wheels: Wheels,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheels.make("part", "2.0")
    wheels.make("thing", "1.0", needs=("part",))
    bundle = tmp_path / "e.tar"
    exported(environments, wheels.specification("thing"), bundle)
    first = bundle.read_bytes()
    exported(environments, wheels.specification("thing"), bundle)
    assert bundle.read_bytes() == first
    for path in wheels.folder.iterdir():
        path.unlink()
    without_a_network(monkeypatch)
    spec, lock = unpacked(elsewhere, bundle)
    assert spec == wheels.specification("thing")
    assert locks.packages(lock) == ("part==2.0", "thing==1.0")
    python = elsewhere.build(lock, lambda _: None, lambda: False)
    assert asked(python, "import thing, part, estiva_server, granian; print(thing.version)") == "1.0"
    assert unpacked(elsewhere, bundle) == (spec, lock)


def test_conda_packages_travel_too(
    environments: Environments, elsewhere: Environments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "one-cache"))
    channel = CondaChannel(tmp_path / "channel", conda_name(sysconfig.get_platform()))
    channel.add_python()
    channel.add_module("thing", "1.0")
    bundle = tmp_path / "e.tar"
    with served(channel.folder, "me:secret") as url:
        address = url.replace("://", "://me:secret@")
        spec = EnvironmentSpecification(name="e", channels=(address,), conda_packages=("thing",))
        exported(environments, spec, bundle)
    assert b"secret" not in bundle.read_bytes()
    without_a_network(monkeypatch)
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "other-cache"))
    found, lock = unpacked(elsewhere, bundle)
    assert found.channels == (url.replace("://", "://me:***@"),)
    python = elsewhere.build(lock, lambda _: None, lambda: False)
    assert asked(python, "import thing, estiva_server; print(thing.version)") == "1.0"


# --- bundles that are none -------------------------------------------------------------------------------


def rewritten(bundle: Path, change: Callable[[dict[str, bytes]], object]) -> None:
    """The bundle with other contents."""
    with tarfile.open(bundle) as archive:
        contents = {name: (archive.extractfile(name) or io.BytesIO()).read() for name in archive.getnames()}
    change(contents)
    with tarfile.open(bundle, "w") as archive:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def renamed(contents: dict[str, bytes], name: str) -> None:
    """The first file is said to lie elsewhere."""
    manifest = json.loads(contents["manifest.json"])
    contents[name] = contents.pop(manifest["files"][0]["path"])
    manifest["files"][0]["path"] = name
    contents["manifest.json"] = json.dumps(manifest).encode()


def newer(contents: dict[str, bytes]) -> None:
    manifest = json.loads(contents["manifest.json"])
    contents["manifest.json"] = json.dumps({**manifest, "format": 2}).encode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("bundle")
    (folder / "wheels").mkdir()
    wheels = Wheels(folder / "wheels")
    wheels.make("thing", "1.0")
    made = Environments(folder / "environments", SERVER_SOURCE)
    exported(made, wheels.specification("thing"), folder / "e.tar")
    return (folder / "e.tar").read_bytes()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda contents: contents.update({"wheels/thing-1.0-py3-none-any.whl": b"x"}), "HashMismatch"),
        (lambda contents: contents.pop("wheels/thing-1.0-py3-none-any.whl"), "BundleInvalid"),
        (lambda contents: contents.pop("manifest.json"), "BundleInvalid"),
        (lambda contents: contents.update({"manifest.json": b"{}"}), "BundleInvalid"),
        (lambda contents: renamed(contents, "wheels/../../../evil"), "BundleInvalid"),
        (lambda contents: renamed(contents, "/tmp/evil"), "BundleInvalid"),
        (lambda contents: renamed(contents, "elsewhere/evil"), "BundleInvalid"),
        (newer, "BundleInvalid"),
    ],
)
def test_a_bundle_that_was_changed_is_refused_and_leaves_nothing(
    change: Callable[[dict[str, bytes]], object],
    code: str,
    whole: bytes,
    environments: Environments,
    tmp_path: Path,
) -> None:
    bundle = tmp_path / "e.tar"
    bundle.write_bytes(whole)
    rewritten(bundle, change)
    with pytest.raises(EnvironmentException) as caught:
        unpacked(environments, bundle)
    assert caught.value.code == code
    assert list(environments.root.glob("bundles/*/")) == []
    assert list(tmp_path.rglob("evil")) == []


def test_what_is_no_bundle_at_all(environments: Environments, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no tar")
    with pytest.raises(EnvironmentException, match=r"text is no bundle .*`estiva env export NAME"):
        unpacked(environments, tmp_path / "text")
    with pytest.raises(FileNotFoundError):
        unpacked(environments, tmp_path / "nothing")


def test_a_bundle_for_another_platform(environments: Environments, whole: bytes, tmp_path: Path) -> None:
    bundle = tmp_path / "e.tar"
    bundle.write_bytes(whole)

    def change(contents: dict[str, bytes]) -> None:
        manifest = json.loads(contents["manifest.json"])
        manifest["lock"]["platform"] = "macosx-arm64-cpython-311"
        contents["manifest.json"] = json.dumps(manifest).encode()

    rewritten(bundle, change)
    with pytest.raises(EnvironmentException, match="is for macosx-arm64-cpython-311, and this machine is"):
        unpacked(environments, bundle)
