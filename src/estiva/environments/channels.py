"""Conda's channels: what users call them, what .condarc says of them, and whether they can be reached."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from estiva.environments.offline import is_offline
from estiva.environments.programs import mask
from estiva.errors import EnvironmentException

DEFAULT = ("conda-forge",)
"""Where conda packages come from if neither the environment nor .condarc says so."""

_DEFAULTS = ("main", "r")
_REACH_SECONDS = 5.0
_REFUSED = (401, 403, 407)
_SILENT_SECONDS = 600.0
_silent: dict[str, float] = {}


@dataclass(frozen=True)
class CondaSettings:
    """What conda's own configuration says, as far as it concerns where packages come from."""

    alias: str = ""
    """What names stand below; empty: what is usual."""
    channels: tuple[str, ...] = ()
    defaults: tuple[str, ...] = _DEFAULTS
    custom: Mapping[str, str] = field(default_factory=dict)
    """Name -> the address that it stands below."""
    strict: bool = True

    def addresses(self, names: Sequence[str]) -> tuple[str, ...]:
        """The channels' URLs, in order, each once; `names` as in a conda YAML, or nothing."""
        chosen = [name for name in (*names,) if name != "nodefaults"] or self.channels or DEFAULT
        found = (address for name in chosen for address in self._addresses(name))
        return tuple(dict.fromkeys(found))

    def _addresses(self, name: str) -> Iterable[str]:
        if name == "defaults":
            return (self._address(each) for each in self.defaults)
        return (self._address(name),)

    def _address(self, name: str) -> str:
        if name.startswith(("/", "~")):
            return Path(name).expanduser().as_uri()
        if "://" in name:
            return name.rstrip("/")
        place = self.custom.get(name) or self.alias
        return f"{place.rstrip('/')}/{name}" if place else _usual_address(name)


def conda_settings(files: Iterable[Path]) -> CondaSettings:
    """What these files of conda's say, later ones first. Broken files are skipped, as with pip's."""
    said: dict[str, Any] = {}
    for file in files:
        said |= _read(file)
    custom = said.get("custom_channels")
    return CondaSettings(
        alias=str(said.get("channel_alias") or ""),
        channels=_texts(said.get("channels")),
        defaults=_texts(said.get("default_channels")) or _DEFAULTS,
        custom={str(key): str(value) for key, value in custom.items()} if isinstance(custom, dict) else {},
        strict=str(said.get("channel_priority", "strict")).lower() not in ("disabled", "false"),
    )


def configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """Where conda looks for its configuration, the most general first."""
    home = Path(environ.get("HOME") or Path.home())
    files = [Path("/etc/conda/.condarc"), home / ".conda" / ".condarc", home / ".condarc"]
    return [*files, *([Path(environ["CONDARC"])] if environ.get("CONDARC") else [])]


def current_settings() -> CondaSettings:
    return conda_settings(configuration_files(os.environ))


def reachable(addresses: Sequence[str]) -> bool:
    """Whether any of the channels answers, be it with an error; folders of this machine always do.

    EnvironmentException "ChannelRefused" if one wants other credentials.
    """
    if is_offline():
        return any(map(is_local, addresses))
    with ThreadPoolExecutor(len(addresses)) as pool:
        return any(list(pool.map(_answers, addresses)))


def is_local(address: str) -> bool:
    """Whether it is a folder of this machine."""
    return address.startswith("file:")


def _answers(address: str) -> bool:
    """A channel that was silent is not asked again for a while: each replica's start would wait for it."""
    if is_local(address):
        return True
    if time.monotonic() - _silent.get(address, -math.inf) < _SILENT_SECONDS:
        return False
    answers = _asked(address)
    if not answers:
        _silent[address] = time.monotonic()
    return answers


def _asked(address: str) -> bool:
    try:
        answer = httpx.head(f"{address}/noarch/repodata.json", timeout=_REACH_SECONDS, follow_redirects=True)
    except (httpx.HTTPError, OSError):  # OSError: a file of certificates that is not there
        return False
    if answer.status_code in _REFUSED:
        raise refused(address, answer.status_code)
    return True


def refused(address: str, status: int) -> EnvironmentException:
    return EnvironmentException(
        f"The conda channel {mask(address)} refuses access ({status}). Check the user name and password, or "
        "the token, in its address.",
        code="ChannelRefused",
    )


def missing_folders(addresses: Iterable[str]) -> list[str]:
    """Channels that are to be folders of this machine, and are not there."""
    local = (unquote(urlsplit(address).path) for address in addresses if is_local(address))
    return [path for path in local if not Path(path).is_dir()]


def _usual_address(name: str) -> str:
    from rattler import Channel  # takes a while, and most environments have no conda packages

    return Channel(name).base_url.rstrip("/")


def _read(file: Path) -> dict[str, Any]:
    try:
        said = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, YAMLError):
        return {}
    return said if isinstance(said, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()
