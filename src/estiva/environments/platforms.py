"""Platforms that locks can be made for without being on them."""

from __future__ import annotations

from dataclasses import dataclass

from estiva.environments.interpreters import Interpreter
from estiva.errors import EnvironmentException


@dataclass(frozen=True)
class Platform:
    """One kind of machine, as several tools call it."""

    uv: str
    system: str
    """As Python's sysconfig does; a lock for this machine's platform is then this machine's lock."""

    def interpreter(self, series: str, default: str) -> Interpreter:
        """Python `series` ("3.11") there, for resolving with the interpreter `default` here."""
        tag = f"{self.system}-cpython-{series.replace('.', '')}"
        return Interpreter(default, series, tag, self.uv, elsewhere=True)


# By the names of conda's channels.
PLATFORMS = {
    "linux-64": Platform("x86_64-unknown-linux-gnu", "linux-x86_64"),
    "linux-aarch64": Platform("aarch64-unknown-linux-gnu", "linux-aarch64"),
    "osx-64": Platform("x86_64-apple-darwin", "macosx-x86_64"),
    "osx-arm64": Platform("aarch64-apple-darwin", "macosx-arm64"),
}

_OTHER_NAMES = {"linux/amd64": "linux-64", "linux/arm64": "linux-aarch64"}


def platform_named(name: str) -> Platform:
    """As conda or Docker calls it: "linux-64", "linux/arm64"."""
    return PLATFORMS[conda_platform(name)]


def conda_platform(name: str) -> str:
    """As conda calls it, whoever else's name it is."""
    known = _OTHER_NAMES.get(name, name)
    if known not in PLATFORMS:
        raise EnvironmentException(
            f'There are no locks for the platform "{name}". Choose one of {", ".join(PLATFORMS)}.',
            code="PlatformUnknown",
        )
    return known


def conda_name(system: str) -> str:
    """ "linux-64" for what Python's sysconfig calls "linux-x86_64"."""
    kind, *_, machine = system.split("-")  # macOS has its release in between
    name = next((key for key, each in PLATFORMS.items() if each.system == f"{kind}-{machine}"), None)
    return name or system
