"""Real models behind the real scoring server, each with its library."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import estiva_server
from estiva_server import contract
from tests.libraries import Library
from tests.server.serving import Answer, ScoringServer

ROWS = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
rows = [[float(i), float(i * i % 7), float(i % 3)] for i in range(60)]
classes = [int(row[0] > 29) for row in rows]
"""
"""The beginning of programs that fit a model: 60 rows of 3 columns, of two classes."""

LOW, HIGH = [3.0, 2.0, 0.0], [55.0, 6.0, 1.0]


class NoCode:
    """Starts a server for a model; `python` is the interpreter that has its library."""

    def __init__(self, folder: Path) -> None:
        self.app = folder / "app"
        self.model = self.app / "azureml-models/mine/1"
        self.model.mkdir(parents=True)
        self._servers: list[ScoringServer] = []

    def start(self, framework: str, python: str = sys.executable) -> ScoringServer:
        script = contract.NO_CODE_SCRIPTS[framework]
        source = str(Path(estiva_server.__file__).parent.parent)
        server = ScoringServer(self.app, ["--entry-script", script], {"PYTHONPATH": source}, python=python)
        self._servers.append(server)
        return server

    def serve(self, framework: str, library: Library | None = None) -> Callable[..., Answer]:
        """Scores JSON when it is ready."""
        server = self.start(framework, library.python if library else sys.executable)
        server.log.wait_for("ready after", seconds=100)

        def score(content: Any, path: str = "/score", **headers: str) -> Answer:
            body = content if isinstance(content, str) else json.dumps(content)
            return server.ask("POST", path, body, {name.replace("_", "-"): v for name, v in headers.items()})

        return score

    def described(self) -> Any:
        """What the description says of the request."""
        document = self._servers[-1].ask("GET", "/swagger.json").json
        return document["definitions"]["ServiceInput"]

    def close(self) -> None:
        for server in self._servers:
            server.kill()


@pytest.fixture
def no_code(tmp_path: Path) -> Iterator[NoCode]:
    made = NoCode(tmp_path)
    yield made
    made.close()


def message(answer: Answer) -> str:
    assert answer.status == 400, answer
    return str(answer.json["message"])
