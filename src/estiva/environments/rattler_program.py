"""Solves and installs conda packages: a program of its own, so that it can be ended at any moment.

`python rattler_program.py REQUEST`, a JSON file; the answer is JSON on stdout, what happens a line on stderr.
It runs in Estiva's interpreter, imports nothing of Estiva, and knows no more than the request says.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import rattler
from rattler import exceptions

_RETRIES = 2
_CHUNK = 1 << 20
_FIELDS = ("name", "version", "build", "build_number", "subdir", "noarch", "depends", "sha256", "md5", "size")


class RefusalError(Exception):
    """Something that only this program checks; `kind` says what."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class _Reporter(rattler.InstallerReporter):
    """Says what is downloaded, and remembers whose script failed."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.scripts: list[str] = []
        self.failed: list[str] = []

    def on_populate_cache_start(self, _operation: int, package_name: str) -> int:
        self.names.append(package_name)
        return len(self.names) - 1

    def on_download_start(self, cache_entry: int) -> int:
        print(f"Downloading {self.names[cache_entry]}", file=sys.stderr, flush=True)
        return cache_entry

    def on_post_link_start(self, package_name: str, _script_path: str) -> int:
        self.scripts.append(package_name)
        return len(self.scripts) - 1

    def on_post_link_complete(self, index: int, success: bool) -> None:
        if not success:
            self.failed.append(self.scripts[index])


async def solve(request: dict[str, Any]) -> dict[str, Any]:
    gateway = rattler.Gateway(cache_dir=Path(request["cache"]) / "repodata", client=_client())
    virtual = [_virtual(*each) for each in request["virtual"]]
    priority = rattler.ChannelPriority
    found = await rattler.solve(
        sources=request["channels"],
        specs=request["specs"],
        gateway=gateway,
        platforms=[request["subdir"], "noarch"],
        locked_packages=[_record(package) for package in request["preferred"]],
        virtual_packages=virtual or list(rattler.VirtualPackage.detect(_overrides())),
        channel_priority=priority.Strict if request["strict"] else priority.Disabled,
    )
    return {"packages": [_package(record) for record in found]}


async def install(request: dict[str, Any]) -> dict[str, Any]:
    for package in request["packages"]:
        _check_local(package)
    reporter = _Reporter()  # type: ignore[abstract]  # what it leaves out does nothing
    await rattler.install(
        [_record(package) for package in request["packages"]],
        request["prefix"],
        cache_dir=Path(request["cache"]) / "pkgs",
        client=_client(),
        execute_link_scripts=True,
        show_progress=False,
        reporter=reporter,
    )
    if reporter.failed:
        raise RefusalError("PostLinkFailed", ", ".join(reporter.failed))
    return {}


def _client() -> rattler.Client:
    return rattler.Client.default_client(max_retries=_RETRIES)


def _virtual(name: str, version: str, build: str) -> rattler.GenericVirtualPackage:
    return rattler.GenericVirtualPackage(
        rattler.PackageName(name), rattler.Version(version), rattler.BuildString(build)
    )


def _overrides() -> rattler.VirtualPackageOverrides:
    """What `CONDA_OVERRIDE_CUDA` and its like say, where they are set."""
    return rattler.VirtualPackageOverrides.from_env()


def _check_local(package: dict[str, Any]) -> None:
    """rattler checks what it downloads, and takes a file of this machine as it is."""
    parts = urlsplit(package["url"])
    if parts.scheme != "file":
        return
    path = Path(unquote(parts.path))
    if not path.is_file():
        raise RefusalError("InstallerError", f"failed to fetch {path.name}\nCaused by: {path} is not there")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != package["sha256"]:
        raise RefusalError("HashMismatch", package["name"])


def _record(package: dict[str, Any]) -> rattler.RepoDataRecord:
    values = {name: package[name] for name in _FIELDS}
    values["build"] = rattler.BuildString(package["build"])
    for name in ("sha256", "md5"):
        values[name] = bytes.fromhex(values[name]) if values[name] else None
    url = package["url"]
    channel = url.rsplit("/", 2)[0]
    return rattler.RepoDataRecord(rattler.PackageRecord(**values), url.rsplit("/", 1)[1], url, channel)


def _package(record: rattler.RepoDataRecord) -> dict[str, Any]:
    said = json.loads(record.to_json())
    values = {name: said.get(name) for name in _FIELDS}
    return {**values, "url": record.url, "depends": said.get("depends") or []}


def main() -> int:
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    work = {"solve": solve, "install": install}[request["do"]]
    try:
        answer = asyncio.run(work(request))
    except RefusalError as error:
        answer = {"problem": error.kind, "text": str(error)}
    except _errors() as error:
        answer = {"problem": type(error).__name__, "text": str(error)}
    json.dump(answer, sys.stdout)
    return 1 if "problem" in answer else 0


def _errors() -> tuple[type[Exception], ...]:
    """All that rattler raises, which has no base class for them, and the system's own."""
    found = (getattr(exceptions, name) for name in dir(exceptions) if name.endswith("Error"))
    return (*(each for each in found if issubclass(each, Exception)), OSError)


if __name__ == "__main__":
    sys.exit(main())
