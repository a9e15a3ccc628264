from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estiva.home import HOME_VARIABLE, Home

SHORTEST_LIMIT_BYTES = 104
"""Of the path of a Unix socket: what macOS allows; Linux allows 108."""


def test_the_variable_says_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path))
    assert Home.current() == Home(tmp_path)


def test_a_relative_home_does_not_move_with_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "here")
    assert Home.current().root == tmp_path / "here"


def test_a_tilde_is_the_user_s_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(HOME_VARIABLE, "~/state")
    assert Home.current().root == tmp_path / "state"


def test_without_the_variable_it_is_the_user_s_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for unset in ({}, {HOME_VARIABLE: ""}):
        monkeypatch.delenv(HOME_VARIABLE, raising=False)
        for name, value in unset.items():
            monkeypatch.setenv(name, value)
        root = Home.current().root
        assert root.name == "estiva"
        assert tmp_path in root.parents


@given(st.integers(1, 400), st.sampled_from("aü"))
def test_a_socket_s_path_is_never_too_long(length: int, character: str) -> None:
    home = Home(Path("/" + character * length))
    longest = home.runtime / ("x" * 32)
    assert len(os.fsencode(longest)) < SHORTEST_LIMIT_BYTES
    assert len(os.fsencode(home.control_socket)) < SHORTEST_LIMIT_BYTES


@pytest.fixture
def shallow(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("h") / "x/y")


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / ("deep" * 30))
    yield home
    if home.runtime.is_symlink():
        home.runtime.unlink()
    elif home.runtime.exists():
        shutil.rmtree(home.runtime)


def test_homes_that_are_too_deep_have_folders_for_sockets_of_their_own(deep: Home, tmp_path: Path) -> None:
    assert deep.root not in deep.runtime.parents
    assert deep.runtime == Home(deep.root).runtime
    assert deep.runtime != Home(tmp_path / ("other" * 30)).runtime
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(deep.create().control_socket))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_what_is_made_is_for_its_owner_alone(shallow: Home, deep: Home) -> None:
    before = os.umask(0)
    try:
        for home in (shallow, deep):
            assert home.create() == home
            assert {mode(folder) for folder in (home.root, home.logs, home.runtime)} == {0o700}
    finally:
        os.umask(before)


def test_making_it_again_changes_nothing_but_a_loose_folder_of_sockets(shallow: Home) -> None:
    home = shallow.create()
    home.control_log.write_text("kept")
    home.runtime.chmod(0o755)
    home.create()
    assert (mode(home.runtime), home.control_log.read_text()) == (0o700, "kept")


def test_a_folder_of_sockets_that_leads_elsewhere_is_refused(deep: Home, tmp_path: Path) -> None:
    """Somebody else may have made it: where all users may write, its name can be foreseen."""
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    deep.runtime.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError, match="is not a folder of yours"):
        deep.create()
    assert mode(tmp_path / "elsewhere") == 0o755


def test_every_place_is_below_the_root_and_named_without_being_made(shallow: Home) -> None:
    names = [name for name, kind in vars(Home).items() if isinstance(kind, property)]
    places = {name: getattr(shallow, name) for name in names}
    assert [name for name, place in places.items() if shallow.root not in place.parents] == []
    assert len(set(places.values())) == len(places)
    assert not shallow.root.exists()
