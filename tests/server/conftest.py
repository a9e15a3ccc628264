"""Starts real scoring servers from `{file name: text}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.server.serving import ScoringServer, write_files


class Serve:
    """`serve({"score.py": "..."}, "--flag", VARIABLE="value")`: a server that is ready."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._servers: list[ScoringServer] = []

    def start(self, files: Mapping[str, str], *flags: str, **variables: str) -> ScoringServer:
        """Without waiting."""
        app = write_files(self._folder / f"app{len(self._servers)}", files)
        server = ScoringServer(app, flags, variables)
        self._servers.append(server)
        return server

    def __call__(self, files: Mapping[str, str], *flags: str, **variables: str) -> ScoringServer:
        server = self.start(files, *flags, **variables)
        server.wait_until_ready()
        return server

    def close(self) -> None:
        for server in self._servers:
            server.kill()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    serve = Serve(tmp_path)
    yield serve
    serve.close()
