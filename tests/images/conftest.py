"""A real engine with a base image, and small plans for it: the server and one script."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import docker.errors
import pytest

import estiva_server
from estiva import engine
from estiva.environments import server, shipping
from estiva.images import builder, planning
from estiva.images.records import BaseImage, Content, ContextFile, Interpreter, Packages, ScoringServer, Tools

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")


def code(text: str) -> ContextFile:
    return ContextFile(path="score.py", text=text)


DOUBLING = code(
    "import json\n\ndef init(): ...\n\ndef run(data):\n    return [2 * n for n in json.loads(data)]\n"
)


@pytest.fixture(scope="session")
def client() -> docker.DockerClient:
    if not BASE or not engine.available():
        pytest.skip("no container engine with a base image: scripts/_engine up")
    return engine.connect()


def content(**changes: object) -> Content:
    """The scoring server, no packages of the user, and one script."""
    source = Path(estiva_server.__file__).parent
    files = [
        ContextFile(path=f"{planning.SERVER_FOLDER}/{place}", text=path.read_text())
        for place, path in server.source_files(source)
    ]
    certificates = shipping.certificates()
    values: dict[str, object] = {
        "packages": Packages(interpreter=Interpreter(version="3.11")),
        "server": ScoringServer(
            files=tuple(files), requirements=server.dependencies(), pth=server.pth_text(planning.SERVER)
        ),
        "tools": Tools(
            uv=str(
                shipping.uv_for(shipping.own_machine(), root=Path(), on_line=print, cancelled=lambda: False)
            ),
            certificates=str(certificates) if certificates else None,
        ),
        "code": (DOUBLING,),
        "variables": {"AZUREML_ENTRY_SCRIPT": "score.py"},
    }
    return Content.model_validate({**values, **changes})


@pytest.fixture(scope="session")
def base(client: docker.DockerClient) -> BaseImage:
    return BaseImage(reference=BASE, image_id=builder.base_id(BASE, print))


@pytest.fixture
def cleaned(client: docker.DockerClient) -> Iterator[list[str]]:
    """Images to remove at the end."""
    references: list[str] = []
    yield references
    remove(client, references)


def remove(client: docker.DockerClient, references: list[str]) -> None:
    for reference in references:
        with suppress(docker.errors.ImageNotFound):
            client.api.remove_image(reference, force=True)
