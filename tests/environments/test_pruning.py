from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from estiva import environments as stage
from estiva.environments import Environments
from estiva.environments.folders import exclusive
from estiva.environments.pruning import leftovers
from tests.environments.conftest import Wheels


def built(environments: Environments, wheels: Wheels, name: str) -> Path:
    """The folder of an environment with one package."""
    wheels.make(name, "1.0")
    lock = environments.lock(wheels.specification(name), sys.executable, lambda _: None, lambda: False)
    return Path(environments.build(lock, lambda _: None, lambda: False)).parent.parent


def names(environments: Environments, *used: str) -> set[tuple[str, str]]:
    return {(each.kind, each.path.name) for each in leftovers(environments.root, used)}


def test_what_nothing_uses_is_found_and_freed(environments: Environments, wheels: Wheels) -> None:
    one, other = built(environments, wheels, "one"), built(environments, wheels, "other")
    half = environments.root / ("0" * 64)
    (half / "bin").mkdir(parents=True)  # of a builder that was killed: no marker
    assert names(environments, one.name) == {("environment", other.name), ("environment", half.name)}
    for leftover in leftovers(environments.root, [one.name]):
        assert environments.free(leftover)
        assert environments.free(leftover)
    assert one.is_dir()
    assert not other.exists()
    assert names(environments, one.name) == set()
    assert {kind for kind, _ in names(environments)} == {"environment", "scoring server"}


def test_what_runs_stays_and_so_do_the_servers(environments: Environments, wheels: Wheels) -> None:
    folder = built(environments, wheels, "one")
    old = environments.root / "server-0123-cp311"
    old.mkdir()
    program = [str(folder / "bin" / "python"), "-c", "print(flush=True); input()"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert names(environments) == set()
        process.communicate(b"\n", timeout=10)
    assert ("scoring server", old.name) in names(environments)
    assert ("environment", folder.name) in names(environments)


def test_what_is_being_made_stays(environments: Environments, wheels: Wheels) -> None:
    folder = built(environments, wheels, "one")
    (leftover,) = [each for each in leftovers(environments.root, ()) if each.kind == "environment"]
    with exclusive(folder, on_line=lambda _: None, cancelled=lambda: False):
        assert not environments.free(leftover)
    assert folder.is_dir()


def test_what_was_asked_for_just_now_stays_a_while(
    environments: Environments, wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = built(environments, wheels, "one")
    assert environments.leftovers([]) == []
    monkeypatch.setattr(stage, "_FRESH_SECONDS", 0.0)
    assert folder.name in {each.path.name for each in environments.leftovers([])}


def test_only_what_comes_free_is_counted(environments: Environments, tmp_path: Path) -> None:
    folder = environments.root / "abc"
    folder.mkdir(parents=True)
    (folder / "own").write_bytes(b"x" * 1000)
    (tmp_path / "cached").write_bytes(b"x" * 5000)
    (folder / "linked").hardlink_to(tmp_path / "cached")
    (folder / "elsewhere").symlink_to("/nowhere")
    (leftover,) = leftovers(environments.root, ())
    assert 1000 <= leftover.size < 2000


def test_nothing_is_there_yet(environments: Environments) -> None:
    assert leftovers(environments.root, ()) == []
