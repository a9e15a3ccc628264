"""The configuration file: a JSON object whose members stand in for variables of the same names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from estiva_server import contract

FILE = "config.json"

KNOWN = frozenset(value for name, value in vars(contract).items() if name.endswith("_VARIABLE"))

WITHOUT_EFFECT = frozenset(
    {
        "AML_APP_INSIGHTS_ENABLED",
        "AML_APP_INSIGHTS_KEY",
        "AML_DBG_MODEL_INFO",
        "AML_DBG_RESOURCE_INFO",
        "AML_MODEL_DC_STORAGE_ENABLED",
        "APP_INSIGHTS_LOG_RESPONSE_ENABLED",
        "HEALTH_PORT",
        "SEPERATE_HEALTH_ENDPOINT",
        "WORKER_TIMEOUT",
    }
)
"""What the official server reads and this one does not, or does otherwise."""
_QUIETLY = frozenset({"HOSTNAME", "WORKSPACE_NAME"})
_NAMES_SHOWN = 10


class ConfigurationError(Exception):
    """The file that was asked for cannot be used; the message is for the user."""


@dataclass(frozen=True)
class Configuration:
    values: dict[str, str] = field(default_factory=dict)
    """As variables would have them."""
    notices: tuple[str, ...] = ()


def read_configuration(asked: Path | None, folders: list[Path]) -> Configuration:
    """`asked`, or else the first config.json in `folders`, where there need not be one.

    A config.json in a source directory may be anything's, a model's perhaps; so one that nobody asked for
    is passed over when it is no JSON object. Raises ConfigurationError for one that was asked for.
    """
    if asked is not None:
        return _from_members(_read(asked), asked)
    for folder in folders:
        path = folder / FILE
        if path.is_file() and path.stat().st_size:
            try:
                return _from_members(_read(path), path)
            except ConfigurationError as error:
                return Configuration(notices=(f"{error} It is passed over.",))
    return Configuration()


def without_effect(variables: Mapping[str, str]) -> list[str]:
    """A notice for variables that are set and do nothing here."""
    names = sorted(name for name in WITHOUT_EFFECT if variables.get(name, "").lower() not in ("", "false"))
    return [f"{', '.join(names)}: set, but without effect here."] if names else []


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"The configuration file {path} cannot be read: {error.strerror}."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"The configuration file {path} is not JSON: {error}.") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"The configuration file {path} holds no JSON object.")
    return content


def _from_members(members: dict[str, Any], path: Path) -> Configuration:
    unknown = sorted(members.keys() - KNOWN - WITHOUT_EFFECT - _QUIETLY)
    values = {name: _text(value) for name, value in members.items() if name in KNOWN | WITHOUT_EFFECT}
    return Configuration(
        {name: text for name, text in values.items() if text is not None},
        (_unknown_notice(unknown, path),) if unknown else (),
    )


def _unknown_notice(names: list[str], path: Path) -> str:
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return f"{path} has keys that are unknown here and have no effect: {shown}{more}."


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value)
