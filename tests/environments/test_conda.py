"""Real rattler against channels that the tests make."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import psutil
import pytest

from estiva.environments import Environments, channels, interpreters, locks
from estiva.environments.offline import offline
from estiva.environments.platforms import conda_name
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification, Lock
from tests.environments.conda_channels import PLACEHOLDER, SITE_PACKAGES, CondaChannel, served
from tests.environments.conftest import Wheels

SUBDIR = conda_name(sysconfig.get_platform())


@pytest.fixture(autouse=True)
def nothing_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RATTLER_CACHE_DIR", str(tmp_path / "conda-cache"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CONDARC", raising=False)


@pytest.fixture
def channel(tmp_path: Path) -> CondaChannel:
    made = CondaChannel(tmp_path / "channel", SUBDIR)
    made.add_python()
    return made


def spec(channel: CondaChannel | str, *packages: str, **more: object) -> EnvironmentSpecification:
    url = channel if isinstance(channel, str) else channel.url
    content = {"name": "e", "channels": (url,), "conda_packages": packages, **more}
    return EnvironmentSpecification.model_validate(content)


def lock(
    environments: Environments,
    specification: EnvironmentSpecification,
    lines: list[str] | None = None,
    platform: str | None = None,
) -> Lock:
    told = [] if lines is None else lines
    return environments.lock(specification, sys.executable, told.append, lambda: False, platform=platform)


def build(environments: Environments, locked: Lock, lines: list[str] | None = None) -> str:
    return environments.build(locked, ([] if lines is None else lines).append, lambda: False)


def asked(python: str, program: str) -> str:
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def refused(environments: Environments, specification: EnvironmentSpecification) -> EnvironmentException:
    with pytest.raises(EnvironmentException) as caught:
        build(environments, lock(environments, specification))
    return caught.value


# --- what works ------------------------------------------------------------------------------------------


def test_conda_packages_and_pip_s_section_in_one_prefix(
    environments: Environments, channel: CondaChannel, wheels: Wheels
) -> None:
    channel.add_module("array", "1.5")
    channel.add("tool", "2.0", {"bin/tool": f"#!/bin/sh\necho at {PLACEHOLDER}\n"}, noarch=None)
    wheels.make("array", "9.0")
    wheels.make("model", "3.0", needs=("array>=1",))
    wheels.make("array", "1.5")
    options = ("--no-index", f"--find-links {wheels.folder}")
    asks = spec(channel, "array>=1", "tool", pip_packages=("model", "azureml-defaults"), pip_options=options)
    locked = lock(environments, asks)
    assert [package.name for package in locked.conda] == ["array", "python", "tool"]
    assert locks.packages(locked) == (
        "array==1.5",
        "python=={}.{}.{}".format(*sys.version_info),
        "tool==2.0",
        "model==3.0",
    )
    assert locked.notices == ()
    assert not environments.ready(locked)
    python = build(environments, locked)
    assert environments.ready(locked)
    prefix = Path(python).parent.parent
    program = "import array, model, sys, estiva_server; print(model.version, sys.prefix)"
    assert asked(python, program.replace("array, ", "")) == f"3.0 {prefix}"
    tool = subprocess.run([prefix / "bin" / "tool"], capture_output=True, text=True, check=True)
    assert tool.stdout == f"at {prefix}\n"


def test_a_compiled_package(environments: Environments, channel: CondaChannel, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    include = sysconfig.get_path("include")
    if compiler is None or not (Path(include) / "Python.h").is_file():
        pytest.skip("needs a C compiler and Python's headers")
    source = tmp_path / "compiled.c"
    source.write_text(
        "#include <Python.h>\n"
        'static PyObject *place(PyObject *s, PyObject *a) { return PyUnicode_FromString("'
        + PLACEHOLDER
        + '"); }\n'
        'static PyMethodDef methods[] = {{"place", place, METH_NOARGS, ""}, {0}};\n'
        'static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "compiled", 0, -1, methods};\n'
        "PyMODINIT_FUNC PyInit_compiled(void) { return PyModule_Create(&module); }\n"
    )
    library = tmp_path / "compiled.so"
    command = [compiler, "-shared", "-fPIC", f"-I{include}", str(source), "-o", str(library)]
    subprocess.run(command, check=True, timeout=60)
    channel.add("compiled", "1.0", {f"{SITE_PACKAGES}/compiled.so": library.read_bytes()}, noarch=None)
    python = build(environments, lock(environments, spec(channel, "compiled")))
    assert asked(python, "import compiled; print(compiled.place())") == str(Path(python).parent.parent)


def test_the_first_channel_has_the_say(
    environments: Environments, channel: CondaChannel, tmp_path: Path
) -> None:
    other = CondaChannel(tmp_path / "other", SUBDIR)
    channel.add_module("thing", "1.0", build="of_the_first")
    other.add_module("thing", "2.0", build="of_the_other")
    both = (channel.url, other.url)

    def found(*order: str) -> list[str]:
        locked = lock(environments, spec("", "thing").model_copy(update={"channels": order}))
        return [package.build for package in locked.conda if package.name == "thing"]

    assert found(*both) == ["of_the_first"]
    assert found(*reversed(both)) == ["of_the_other"]
    (tmp_path / ".condarc").write_text("channel_priority: disabled\n")
    assert found(*both) == ["of_the_other"]


def test_a_private_channel(environments: Environments, channel: CondaChannel, lines: list[str]) -> None:
    channel.add_module("thing", "1.0")
    with served(channel.folder, "me:secret") as url:
        address = url.replace("://", "://me:secret@")
        python = build(environments, lock(environments, spec(address, "thing"), lines), lines)
        error = refused(environments, spec(url, "thing"))
    assert asked(python, "import thing; print(thing.version)") == "1.0"
    assert error.code == "ChannelRefused"
    assert any("Downloading thing" in line for line in lines)
    assert "secret" not in "".join(lines)


def test_names_are_those_of_condarc(
    environments: Environments, channel: CondaChannel, tmp_path: Path
) -> None:
    channel.add_module("thing", "1.0")
    (tmp_path / ".condarc").write_text(f"channel_alias: {tmp_path.as_uri()}\n")
    assert lock(environments, spec("channel", "thing")).conda[1].url.startswith(channel.url)


def test_a_python_that_the_machine_lacks_comes_from_the_channel(
    environments: Environments, channel: CondaChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = interpreters.inspect(sys.executable)
    monkeypatch.setattr(interpreters, "_inspected", lambda _: ())
    channel.add("python", "3.99.1", noarch=None)
    locked = lock(environments, spec(channel, python_version="3.99"))
    assert (locked.python, locked.python_version) == ("", "3.99.1")
    assert own is not None


def test_it_is_solved_once_and_kept(
    environments: Environments, channel: CondaChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.add_module("thing", "1.0")
    first = lock(environments, spec(channel, "thing"))
    build(environments, first)
    channel.add_module("thing", "2.0")
    monkeypatch.setattr(subprocess, "Popen", None)
    assert lock(environments, spec(channel, "thing")) == first
    build(environments, first)
    kept = environments.lock(spec(channel, "thing>=1"), sys.executable, print, lambda: False, kept=[first])
    assert kept == first


def test_a_renewed_lock(environments: Environments, channel: CondaChannel) -> None:
    for name in ("one", "other"):
        channel.add_module(name, "1.0")
    before = lock(environments, spec(channel, "one", "other"))
    for name in ("one", "other"):
        channel.add_module(name, "2.0")

    def renewed(*names: str) -> list[str]:
        after = environments.renew(
            spec(channel, "one", "other"), sys.executable, before, names, print, lambda: False
        )
        return [package.version for package in after.conda if package.name != "python"]

    assert renewed("other") == ["1.0", "2.0"]
    assert renewed() == ["2.0", "2.0"]


def test_a_lock_for_another_platform(environments: Environments, tmp_path: Path) -> None:
    mac = CondaChannel(tmp_path / "mac", "osx-arm64")
    mac.add_python()
    mac.add("compiled", "1.0", noarch=None, depends=("__osx >=11",))
    locked = lock(environments, spec(mac, "compiled"), platform="osx-arm64")
    assert [package.subdir for package in locked.conda] == ["osx-arm64", "osx-arm64"]
    assert locked.platform.startswith("macosx-arm64-cpython-3")


def test_a_post_link_script_is_run(environments: Environments, channel: CondaChannel) -> None:
    channel.add(
        "scripted", "1.0", {"bin/.scripted-post-link.sh": 'echo done > "$PREFIX/said"\n'}, noarch=None
    )
    prefix = Path(build(environments, lock(environments, spec(channel, "scripted")))).parent.parent
    assert (prefix / "said").read_text() == "done\n"


# --- where no channel is ---------------------------------------------------------------------------------


def test_without_a_channel_in_reach_the_index_takes_its_place(
    environments: Environments, wheels: Wheels
) -> None:
    wheels.make("thing", "1.0")
    options = {"pip_options": ("--no-index", f"--find-links {wheels.folder}")}
    away = "http://127.0.0.1:9/conda"
    locked = lock(environments, spec(away, "thing=1", **options))
    assert locked.conda == ()
    assert locked.notices == (
        f"No conda channel can be reached ({away}); PyPI takes their place.",
        "Conda packages are installed from PyPI: thing==1.*.",
    )
    error = refused(environments, spec(away, "thing=1", resolver="conda"))
    assert (error.code, away in error.message) == ("ChannelUnreachable", True)


def test_the_index_may_be_asked_for(
    environments: Environments, channel: CondaChannel, wheels: Wheels
) -> None:
    wheels.make("thing", "2.0")
    channel.add_module("thing", "1.0")
    options = ("--no-index", f"--find-links {wheels.folder}")
    locked = lock(environments, spec(channel, "thing", resolver="pypi", pip_options=options))
    assert locks.packages(locked) == ("thing==2.0",)


def test_a_silent_channel_is_asked_once() -> None:
    address = "http://127.0.0.1:9/never"
    assert not channels.reachable([address])
    with served(Path(__file__).parent) as url:
        assert channels.reachable([address, url])
    assert not channels.reachable([address])


def test_offline_only_what_is_here_serves(
    environments: Environments, channel: CondaChannel, wheels: Wheels, tmp_path: Path
) -> None:
    channel.add_module("thing", "1.0")
    options = {"pip_options": ("--no-index", f"--find-links {wheels.folder}")}
    with served(channel.folder) as url, offline(True):
        locked = lock(environments, spec(channel, "thing"))
        assert locked.conda
        with pytest.raises(EnvironmentException, match="thing") as caught:
            lock(environments, spec(url, "thing", **options))
        assert caught.value.code == "CondaPackageNotOnPyPI"
        assert refused(environments, spec(url, "thing", resolver="conda")).code == "Offline"


# --- what fails, and how it is said ----------------------------------------------------------------------


def test_a_package_that_no_channel_has(environments: Environments, channel: CondaChannel) -> None:
    error = refused(environments, spec(channel, "nothere=2"))
    assert error.code == "PackageNotFound"
    assert "no package nothere in the version" in error.message


def test_packages_that_contradict_each_other(environments: Environments, channel: CondaChannel) -> None:
    channel.add("base", "1.0")
    channel.add("base", "2.0")
    channel.add("old", "1.0", depends=("base <2",))
    error = refused(environments, spec(channel, "old", "base>=2"))
    assert error.code == "VersionConflict"
    assert "old" in error.message
    assert "base" in error.message


def test_what_the_machine_does_not_have(
    environments: Environments, channel: CondaChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel.add("gpu", "1.0", depends=("__cuda >=12",))
    monkeypatch.delenv("CONDA_OVERRIDE_CUDA", raising=False)
    error = refused(environments, spec(channel, "gpu"))
    assert error.code == "VirtualPackageMissing"
    assert "needs cuda >=12 of the machine" in error.message
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "12.4")
    assert lock(environments, spec(channel, "gpu")).conda[0].name == "gpu"


@pytest.mark.parametrize("over_http", [False, True])
def test_another_file_than_the_channel_said(
    environments: Environments, channel: CondaChannel, over_http: bool
) -> None:
    channel.add("replaced", "1.0")
    channel.say("replaced", sha256="0" * 64)
    with served(channel.folder) as url:
        error = refused(environments, spec(url if over_http else channel, "replaced"))
    assert error.code == "HashMismatch"
    assert "replaced" in error.message
    assert list(environments.root.glob("*/complete.json")) == []


def test_a_package_that_is_damaged_or_gone(environments: Environments, channel: CondaChannel) -> None:
    path = channel.add("broken", "1.0")
    half = path.read_bytes()[: path.stat().st_size // 2]
    path.write_bytes(half)
    channel.say("broken", sha256=hashlib.sha256(half).hexdigest())
    locked = lock(environments, spec(channel, "broken"))
    for _ in range(2):
        with pytest.raises(EnvironmentException, match=r"broken-1\.0-0\.tar\.bz2 cannot be") as caught:
            build(environments, locked)
        assert caught.value.code == "CondaPackageBroken"
        assert not environments.ready(locked)
        path.unlink(missing_ok=True)


def test_a_post_link_script_that_fails(environments: Environments, channel: CondaChannel) -> None:
    channel.add("failing", "1.0", {"bin/.failing-post-link.sh": "exit 3\n"}, noarch=None)
    error = refused(environments, spec(channel, "failing"))
    assert error.code == "PostLinkFailed"
    assert "failing runs when it is installed (post-link) failed" in error.message
    assert f"The channel is {channel.url}/{SUBDIR}." in error.message


def test_a_channel_that_is_not_there(environments: Environments, tmp_path: Path) -> None:
    error = refused(environments, spec((tmp_path / "nowhere").as_uri(), "thing"))
    assert (error.code, "nowhere" in error.message) == ("ChannelNotFound", True)


def test_a_python_that_is_too_old(environments: Environments, channel: CondaChannel) -> None:
    channel.add("python", "3.8.20", noarch=None)
    channel.add("ancient", "1.0", depends=("python <3.9",))
    error = refused(environments, spec(channel, "ancient", python_version=">=3.8,<3.9"))
    assert error.code == "PythonTooOld"


def test_it_is_cancelled_at_once(environments: Environments, channel: CondaChannel) -> None:
    channel.add("endless", "1.0", {"bin/.endless-post-link.sh": "sleep 600\n"}, noarch=None)
    locked = lock(environments, spec(channel, "endless"))

    def running() -> list[psutil.Process]:
        return [each for each in psutil.Process().children(recursive=True) if each.name() == "sleep"]

    with pytest.raises(EnvironmentException) as caught:
        environments.build(locked, lambda _: None, lambda: bool(running()))
    assert caught.value.code == "Cancelled"
    psutil.wait_procs(running(), timeout=10)
    assert running() == []
    assert [path for path in environments.root.iterdir() if path.is_dir() and path.name != "locks"] == []


def test_a_lock_travels_as_json(environments: Environments, channel: CondaChannel) -> None:
    channel.add_module("thing", "1.0")
    locked = lock(environments, spec(channel, "thing"))
    assert Lock.model_validate_json(json.dumps(locked.model_dump(mode="json"))) == locked
