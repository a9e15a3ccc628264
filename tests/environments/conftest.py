"""Real uv against small wheels that the tests make, on disk or behind a package index on loopback."""

from __future__ import annotations

import base64
import hashlib
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import estiva_server
from estiva.environments import Environments
from estiva.records import EnvironmentSpecification

SERVER_SOURCE = Path(estiva_server.__file__).parent


class Wheels:
    """A folder of wheels; `make` adds one that holds a single module of the package's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(
        self,
        name: str,
        version: str,
        *,
        needs: tuple[str, ...] = (),
        source: str = "",
        tag: str = "py3-none-any",
        python: str = ">=3.8",
    ) -> Path:
        information = f"{name}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {each}\n" for each in needs)
        files = {
            f"{name}.py": f"version = {version!r}\n{source}",
            f"{information}/METADATA": (
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                f"Requires-Python: {python}\n{needed}"
            ),
            f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
        path = self.folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in {**files, f"{information}/RECORD": record}.items():
                archive.writestr(file, text)
        return path

    def specification(self, *packages: str, **more: object) -> EnvironmentSpecification:
        """Asks for `packages` of this folder and nothing else."""
        options = ("--no-index", f"--find-links {self.folder}")
        return EnvironmentSpecification.model_validate(
            {"name": "e", "pip_packages": packages, "pip_options": options, **more}
        )


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


class PackageIndex(ThreadingHTTPServer):
    """Serves a folder of wheels; while `silent`, it takes requests and never answers them."""

    daemon_threads = True

    def __init__(self, wheels: Wheels) -> None:
        super().__init__(("127.0.0.1", 0), partial(_PackageIndexHandler, wheels.folder))
        self.silent = False
        self.asked = threading.Event()
        self.closed = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/simple"


class _PackageIndexHandler(BaseHTTPRequestHandler):
    server: PackageIndex

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.server.asked.set()
        if self.server.silent:
            self.server.closed.wait(60)
            return
        *_, kind, name = self.path.strip("/").split("/")
        self._answer(self._links(name) if kind == "simple" else (self.folder / name).read_bytes())

    def _links(self, name: str) -> bytes:
        paths = self.folder.glob(f"{name.replace('-', '_')}-*.whl")
        hashed = [(path.name, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths]
        return "".join(f'<a href="/files/{file}#sha256={sha}">{file}</a>' for file, sha in hashed).encode()

    def _answer(self, body: bytes) -> None:
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html" if body[:1] == b"<" else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    folder = tmp_path / "wheels"
    folder.mkdir()
    return Wheels(folder)


@pytest.fixture
def index(wheels: Wheels) -> Iterator[PackageIndex]:
    with PackageIndex(wheels) as server:
        thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
        thread.start()
        yield server
        server.closed.set()
        server.shutdown()
        thread.join(10)


@pytest.fixture
def environments(tmp_path: Path) -> Environments:
    return Environments(tmp_path / "environments", SERVER_SOURCE)


@pytest.fixture
def lines() -> list[str]:
    """What uv told: hand `lines.append` to whatever takes `on_line`."""
    return []
