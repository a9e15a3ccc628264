"""Deploys a case with the SDK, as its user would, and says what that user was told first, and how soon."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from estiva import Environment, InferenceConfig, LocalWebservice, Model, Webservice, Workspace
from estiva.errors import EstivaError
from tests.corpus.cases import Case, Section
from tests.corpus.packages import make_packages

_MODEL_SECONDS = 60
_LOG_SECONDS = 20
_ANSWER_SECONDS = 60
_ENDED = re.compile(r"(?P<time>\S+Z) estiva-server: ended with exit status")


@dataclass(frozen=True)
class Outcome:
    code: str
    """Of the first finding, or of the exception that refused the project; empty: all is well."""
    text: str
    seconds: float | None
    """From the failure, as the replica's log has it, until the user was told; None: nothing was started."""


class Runner:
    """Runs cases, each in a folder and a workspace of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._wheels = folder / "wheels"
        make_packages(self._wheels)

    def run(self, case: Case) -> Outcome:
        project = self._folder / case.part / case.path.stem
        project.mkdir(parents=True)
        workspace = Workspace.create(f"{case.part}-{case.path.stem}"[:33], show_output=False)
        for section in case.all("file"):
            path = project / section.rest
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(section.text)
        try:
            service = self._deploy(case, project, workspace)
        except EstivaError as error:
            return Outcome(error.code, error.message, None)
        try:
            return _watch(service, case)
        finally:
            service.delete()

    def _deploy(self, case: Case, project: Path, workspace: Workspace) -> Webservice:
        models = [_register(workspace, section, project) for section in case.all("model")]
        paths = [str(project / path) for section in case.all("paths") for path in section.rest.split()]
        return Model.deploy(
            workspace,
            "service",
            [*models, *paths],
            self._inference(case, project),
            LocalWebservice.deploy_configuration(**_settings(case)),
        )

    def _inference(self, case: Case, project: Path) -> InferenceConfig:
        entry = case.one("entry")
        script = entry.rest if entry else "score.py"
        if case.one("ship"):
            return InferenceConfig(
                entry_script=script,
                source_directory=str(project),
                environment=self._environment(case, project),
            )
        return InferenceConfig(
            entry_script=str(project / script), environment=self._environment(case, project)
        )

    def _environment(self, case: Case, project: Path) -> Environment | None:
        section = case.one("environment")
        if section is None:
            return None
        file = project / "environment.yml"
        file.write_text(section.text.replace("{wheels}", str(self._wheels)))
        return Environment.from_conda_specification(case.path.stem, str(file))


def _watch(service: Webservice, case: Case) -> Outcome:
    try:
        service.wait_for_deployment()
    except EstivaError as error:
        return Outcome(error.code, error.message, _seconds_since_failure(service))
    for section in case.all("request"):
        _send(service, section)
    failed = time.monotonic()
    outcome = _diagnosed(service, failed)
    while case.code and not is_right(case, outcome) and time.monotonic() < failed + _LOG_SECONDS:
        outcome = _diagnosed(service, failed)  # the log takes a moment from the worker to the disk
    return outcome


def _diagnosed(service: Webservice, failed: float) -> Outcome:
    found = service.diagnose()
    if not found:
        return Outcome("", "", None)
    return Outcome(found.findings[0].code, str(found), time.monotonic() - failed)


def is_right(case: Case, outcome: Outcome) -> bool:
    text = " ".join(outcome.text.split())
    return outcome.code == case.code and all(phrase in text for phrase in case.phrases)


def _send(service: Webservice, section: Section) -> None:
    """`method`, `path`, `key`, `type` of the request; `count` of them, one by one or, `together`, at once.

    One at least must be answered with the status.
    """
    status, *words = section.rest.split()
    options = dict(word.split("=", 1) for word in words)
    headers = {"Content-Type": options.get("type", "application/json")}
    if service.auth_enabled:
        headers["Authorization"] = f"Bearer {options.get('key') or service.get_keys()[0]}"
    url = str(service.scoring_uri).removesuffix("/score") + options.get("path", "/score")
    body = section.text.rstrip("\n").encode() * int(options.get("size", 1))

    def send(_number: int) -> int:
        with httpx.Client(timeout=_ANSWER_SECONDS, trust_env=False) as http:
            return http.request(options.get("method", "POST"), url, content=body, headers=headers).status_code

    count, together = int(options.get("count", 1)), int(options.get("together", 1))
    with ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(send, range(max(count, together))))
    assert int(status) in answers, answers


def _register(workspace: Workspace, model: Section, project: Path) -> Model:
    folder = project / f"model-{model.rest}"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", model.text], cwd=folder, timeout=_MODEL_SECONDS, check=True
    )
    (path,) = folder.iterdir()
    return Model.register(workspace, str(path), model.rest)


def _settings(case: Case) -> dict[str, Any]:
    section, variables = case.one("settings"), case.one("variables")
    pairs = (word.partition("=") for word in (section.rest.split() if section else ()))
    given = {name: json.loads(value) for name, _, value in pairs}
    if variables:
        given["environment_variables"] = dict(line.split("=", 1) for line in variables.text.splitlines())
    return given


def _seconds_since_failure(service: Webservice) -> float | None:
    """By the last words of the replica, which are written when it has failed."""
    now = time.time()
    said = _ENDED.findall(service.get_logs())
    if not said:
        return None
    return now - datetime.strptime(said[-1], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
