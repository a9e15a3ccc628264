"""Conda channels that tests make by hand: real packages, in folders or behind a server on loopback."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PLACEHOLDER = "/placeholder_" * 12
"""Where packages think that they are, until they are installed."""

SITE_PACKAGES = "lib/python{}.{}/site-packages".format(*sys.version_info)


class CondaChannel:
    """A folder with packages for one platform and for any."""

    def __init__(self, folder: Path, subdir: str = "linux-64") -> None:
        self.folder, self.subdir = folder, subdir
        self.packages: dict[str, dict[str, Any]] = {subdir: {}, "noarch": {}}
        for name in self.packages:
            (folder / name).mkdir(parents=True)
            self._index(name)

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def add(
        self,
        name: str,
        version: str,
        files: Mapping[str, str | bytes] | None = None,
        *,
        depends: tuple[str, ...] = (),
        noarch: str | None = "generic",
        links: Mapping[str, str] | None = None,
        build: str = "0",
    ) -> Path:
        """The package's file."""
        subdir = "noarch" if noarch else self.subdir
        index = {"name": name, "version": version, "build": build, "build_number": 0, "subdir": subdir}
        index |= {"depends": list(depends), **({"noarch": noarch} if noarch else {})}
        contents = {path: _bytes(text) for path, text in (files or {f"share/{name}": version}).items()}
        path = self.folder / subdir / f"{name}-{version}-{build}.tar.bz2"
        _write(path, index, contents, links or {})
        file = path.read_bytes()
        self.packages[subdir][path.name] = {
            **index,
            "sha256": hashlib.sha256(file).hexdigest(),
            "md5": hashlib.md5(file).hexdigest(),
            "size": len(file),
        }
        self._index(subdir)
        return path

    def say(self, name: str, **said: Any) -> None:
        """Has the channel say this of its packages of that name, instead of the truth."""
        for subdir, packages in self.packages.items():
            for package in packages.values():
                if package["name"] == name:
                    package.update(said)
            self._index(subdir)

    def add_python(self, version: str = "{}.{}.{}".format(*sys.version_info)) -> None:
        """The interpreter that runs the tests, as a package."""
        real = Path(sys.executable).resolve()
        files = {"pyvenv.cfg": f"home = {real.parent}\nversion = {version}\n", f"{SITE_PACKAGES}/README": ""}
        links = {"bin/python": str(real), "bin/python3": "python"}
        self.add("python", version, files, noarch=None, links=links)

    def add_module(self, name: str, version: str, **more: Any) -> None:
        """A module for any Python."""
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        information = f"site-packages/{name}-{version}.dist-info"
        files = {
            f"site-packages/{name}.py": f"version = {version!r}\n",
            f"{information}/METADATA": metadata,
            f"{information}/INSTALLER": "conda\n",
            f"{information}/RECORD": f"{name}.py,,\n{name}-{version}.dist-info/METADATA,,\n",
        }
        depends = ("python >=3.8", *more.pop("depends", ()))
        self.add(name, version, files, noarch="python", depends=depends, **more)

    def _index(self, subdir: str) -> None:
        content = {"info": {"subdir": subdir}, "packages": self.packages[subdir], "repodata_version": 1}
        (self.folder / subdir / "repodata.json").write_text(json.dumps(content))


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _write(
    path: Path, index: Mapping[str, Any], contents: dict[str, bytes], links: Mapping[str, str]
) -> None:
    paths = [_entry(name, data) for name, data in contents.items()]
    paths += [{"_path": name, "path_type": "softlink"} for name in links]
    information = {
        "info/index.json": json.dumps(index).encode(),
        "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
    }
    if index.get("noarch") == "python":
        link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
        information["info/link.json"] = json.dumps(link).encode()
    with tarfile.open(path, "w:bz2") as archive:
        for name, data in {**information, **contents}.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o755 if name.startswith("bin/") else 0o644
            archive.addfile(entry, io.BytesIO(data))
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)


def _entry(name: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"_path": name, "path_type": "hardlink", "size_in_bytes": len(data)}
    entry["sha256"] = hashlib.sha256(data).hexdigest()
    if PLACEHOLDER.encode() in data:
        mode = "binary" if b"\0" in data else "text"
        entry |= {"prefix_placeholder": PLACEHOLDER, "file_mode": mode}
    return entry


@contextmanager
def served(folder: Path, credentials: str = "") -> Iterator[str]:
    """The URL of a server of that folder, for those who give the credentials ("user:password")."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, credentials, directory=str(folder)))
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, credentials: str, *arguments: Any, **named: Any) -> None:
        encoded = base64.b64encode(credentials.encode()).decode()
        self.wanted = f"Basic {encoded}" if credentials else None
        super().__init__(*arguments, **named)

    def send_head(self) -> Any:
        if self.wanted and self.headers.get("Authorization") != self.wanted:
            self.send_error(401)
            return None
        return super().send_head()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass
