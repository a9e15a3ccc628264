from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from uv import find_uv_bin

from estiva.environments import programs, uv
from estiva.errors import EnvironmentException, UserErrorException
from tests.environments.conftest import PackageIndex


def compiling(index: PackageIndex, folder: Path) -> list[str]:
    """Arguments of a run of uv that asks `index`."""
    (folder / "asked.in").write_text("thing\n")
    return ["pip", "compile", str(folder / "asked.in"), "--default-index", index.url, "--no-cache"]


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if "uv" in each.name()]


def test_output_comes_back_and_what_uv_tells_is_handed_on(lines: list[str]) -> None:
    assert uv.run(["--version"]).stdout.startswith("uv ")
    outcome = uv.run(["no-such-command"], on_line=lines.append)
    assert outcome.failed
    assert "\n".join(lines) in outcome.stderr.replace("\n\n", "\n")
    assert "no-such-command" in lines[0]


def test_it_is_cancelled_at_once(index: PackageIndex, tmp_path: Path) -> None:
    index.silent = True
    with pytest.raises(EnvironmentException, match="was cancelled") as caught:
        uv.run(compiling(index, tmp_path), cancelled=index.asked.is_set)
    assert caught.value.code == "Cancelled"
    assert children() == []


def test_it_is_ended_when_it_takes_too_long(
    index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.silent = True
    monkeypatch.setenv("ESTIVA_BUILD_TIMEOUT", "0.5")
    with pytest.raises(EnvironmentException, match=r"took longer than \d seconds") as caught:
        uv.run(compiling(index, tmp_path))
    assert caught.value.code == "BuildTimeout"
    assert "ESTIVA_BUILD_TIMEOUT" in caught.value.message
    assert children() == []


@pytest.mark.parametrize("value", ["soon", "0", "-3"])
def test_a_timeout_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ESTIVA_BUILD_TIMEOUT", value)
    with pytest.raises(UserErrorException, match=f'ESTIVA_BUILD_TIMEOUT is "{value}"'):
        programs.build_timeout()


def test_settings_of_pip_reach_uv(
    index: PackageIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "asked.in").write_text("thing\n")
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    assert uv.run(["pip", "compile", str(tmp_path / "asked.in"), "--no-cache"]).failed
    assert index.asked.is_set()


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("see https://me:secret@example.org/simple/", "see https://me:***@example.org/simple/"),
        ("https://example.org/t/to-ken/team/x", "https://example.org/t/***/team/x"),
        ("git+https://token@example.org/x", "git+https://***@example.org/x"),
        ("git+ssh://git@example.org/x", "git+ssh://git@example.org/x"),
        ("name @ https://example.org/a@b", "name @ https://example.org/a@b"),
    ],
)
def test_credentials_are_masked(text: str, masked: str) -> None:
    assert programs.mask(text) == masked


def test_credentials_do_not_show_in_what_uv_tells(
    index: PackageIndex, tmp_path: Path, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("http://", "http://me:secret@"))
    (tmp_path / "asked.in").write_text("thing @ http://me:secret@127.0.0.1:9/thing-1.0-py3-none-any.whl\n")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    outcome = uv.run(["pip", "compile", str(tmp_path / "asked.in"), "--no-cache"], on_line=lines.append)
    assert outcome.failed
    assert lines
    assert "secret" not in outcome.stderr + "".join(lines)


def test_orphans_are_ended_by_what_they_work_on(index: PackageIndex, tmp_path: Path) -> None:
    index.silent = True
    other = tmp_path / "other"
    other.mkdir()
    orphan, bystander = abandoned(compiling(index, tmp_path)), abandoned(compiling(index, other))
    programs.end_orphans(str(tmp_path / "asked.in"))
    assert not alive(orphan)
    assert alive(bystander)
    programs.end_orphans(str(other))
    assert not alive(bystander)


def abandoned(arguments: list[str]) -> psutil.Process:
    """A uv whose parent has ended."""
    start = (
        "import subprocess, sys; print(subprocess.Popen(sys.argv[1:], start_new_session=True, stdout=2).pid)"
    )
    command = [sys.executable, "-c", start, find_uv_bin(), *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return psutil.Process(int(done.stdout))


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
