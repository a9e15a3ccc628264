"""pip's settings (variables and pip.conf), handed on to uv: whoever can `pip install` here can deploy."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_SECTIONS = ("global", "install")

# A setting of pip -> the variables of uv any of which overrides it, the first being the one to set.
_EQUIVALENTS = {
    "index-url": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "extra-index-url": ("UV_INDEX", "UV_EXTRA_INDEX_URL"),
    "find-links": ("UV_FIND_LINKS",),
    "no-index": ("UV_NO_INDEX",),
    "trusted-host": ("UV_INSECURE_HOST",),
    "pre": ("UV_PRERELEASE",),
    "cert": ("SSL_CERT_FILE", "SSL_CERT_DIR"),
}


def pip_settings(environ: Mapping[str, str], files: Iterable[Path]) -> dict[str, str]:
    """What pip would use: its configuration files in order, then its variables. Broken files are skipped."""
    settings: dict[str, str] = {}
    for file in files:
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (OSError, ValueError, configparser.Error):
            continue
        for section in _SECTIONS:
            if parser.has_section(section):
                settings.update({key.replace("_", "-"): value for key, value in parser.items(section)})
    for key in _EQUIVALENTS:
        value = environ.get("PIP_" + key.upper().replace("-", "_"))
        if value:
            settings[key] = value
    return settings


def uv_variables(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that make uv behave as pip does here; whatever the user set for uv itself stands."""
    values = {key: _translate(key, settings.get(key, "")) for key in _EQUIVALENTS}
    chosen = {
        names[0]: values[key]
        for key, names in _EQUIVALENTS.items()
        if values[key] and not any(environ.get(name) for name in names)
    }
    if Path(chosen.get("SSL_CERT_FILE", "")).is_dir() and "SSL_CERT_FILE" in chosen:
        chosen["SSL_CERT_DIR"] = chosen.pop("SSL_CERT_FILE")
    # pip looks at all indexes and takes the best version; uv would stop at the first that knows the name.
    return {"UV_INDEX_STRATEGY": environ.get("UV_INDEX_STRATEGY", "unsafe-best-match"), **chosen}


def configuration_files(environ: Mapping[str, str]) -> list[Path]:
    """Where pip looks for its configuration, the most general first."""
    chosen = environ.get("PIP_CONFIG_FILE")
    if chosen == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf"]
    if sys.platform == "darwin":
        files.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
    files.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / "pip.conf")
    return [*files, *([Path(chosen)] if chosen else [])]


def _translate(key: str, value: str) -> str:
    words = value.split()
    if key in ("no-index", "pre"):
        on = value.strip().lower() in ("1", "true", "yes", "on")
        return {"no-index": "true", "pre": "allow"}[key] if on else ""
    if key == "find-links":
        # pip overlooks a folder that is not there, uv would fail
        return ",".join(word for word in words if "://" in word or Path(word).is_dir())
    if key == "cert":
        return value.strip() if Path(value.strip()).exists() else ""
    return " ".join(words)
