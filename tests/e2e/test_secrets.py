"""Secrets that are planted wherever one can be show in nothing that is there to be passed on."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from estiva import LocalWebservice, Model, Webservice
from estiva.errors import WebserviceException
from estiva.sdk.connection import connect
from tests.e2e.conftest import Project, wait_until

PLANTED = ("planted-secret", "planted-variable", "planted-in-url", "planted-in-log", "planted-primary-key")
CONFIGURATION: dict[str, Any] = {
    "secrets": {"STORE": "planted-secret"},
    "environment_variables": {"DB_PASSWORD": "planted-variable", "GREETING": "hello"},
    "auth_enabled": True,
    "primary_key": "planted-primary-key",
}
TELLING = """
import os

def tell():
    print("connecting with password=planted-in-log")
    print("keys", os.environ["STORE"], os.environ["DB_PASSWORD"], "planted-primary-key")
    raise RuntimeError("https://ana:planted-in-url@db failed for " + os.environ["STORE"])
"""
IN_INIT = TELLING + "\ndef init():\n    tell()\n\ndef run(data):\n    return 1\n"
IN_RUN = TELLING + "\ndef init():\n    pass\n\ndef run(data):\n    tell()\n"


def deploy(project: Project, script: str) -> Webservice:
    project.write(script)
    configuration = LocalWebservice.deploy_configuration(**CONFIGURATION)
    return Model.deploy(project.workspace, "telling", [], project.inference(), configuration)


def everything_shown(service: Webservice, folder: Path) -> Iterator[tuple[str, str]]:
    yield "diagnosis", str(service.diagnose())
    yield "HTML", service.diagnose()._repr_html_()
    yield "API", connect().text(f"{service._path}/diagnosis")
    with zipfile.ZipFile(service.save_bundle(folder / "bundle.zip")) as archive:
        for name in archive.namelist():
            yield name, archive.read(name).decode()


def check_nothing_planted(shown: dict[str, str]) -> None:
    told = {(place, secret) for place, text in shown.items() for secret in PLANTED if secret in text}
    assert told == set()


def test_of_a_deployment_that_fails(project: Project, tmp_path: Path) -> None:
    service = deploy(project, IN_INIT)
    with pytest.raises(WebserviceException) as caught:
        service.wait_for_deployment()
    shown = dict(everything_shown(service, tmp_path))
    check_nothing_planted({**shown, "exception": str(caught.value), "error": str(service.error)})
    assert "https://***@db failed for ***" in caught.value.message
    assert {"README.txt", "logs/1.log", "service.json", "versions.json", "control.log"} <= shown.keys()
    assert "keys *** *** ***" in shown["logs/1.log"]
    assert "hello" in shown["service.json"]


def test_of_a_service_that_fails_its_callers(project: Project, tmp_path: Path) -> None:
    service = deploy(project, IN_RUN)
    service.wait_for_deployment()
    with pytest.raises(WebserviceException, match="Response Code: 502") as caught:
        service.run("{}")
    wait_until(lambda: bool(service.diagnose()), 30, "the log says it")
    shown = dict(everything_shown(service, tmp_path))
    check_nothing_planted({**shown, "exception": str(caught.value)})
    assert "in tell(): RuntimeError" in shown["diagnosis"]


def test_a_bundle_never_takes_the_place_of_a_file(project: Project, tmp_path: Path) -> None:
    service = project.deploy()
    (tmp_path / "mine.zip").write_text("mine")
    with pytest.raises(FileExistsError):
        service.save_bundle(tmp_path / "mine.zip")
    assert (tmp_path / "mine.zip").read_text() == "mine"
