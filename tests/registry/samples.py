"""Records as a small real deployment would have them, and programs that are run and killed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from estiva.records import (
    Code,
    DeploymentSpec,
    EnvironmentSpecification,
    File,
    Generation,
    GenerationState,
    Model,
    ModelMount,
    Publication,
    Service,
    ServiceKey,
    ServiceState,
    Tree,
)

KEY = ServiceKey(workspace="lab", service="diabetes")


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def tree(**contents: str) -> Tree:
    """A tree of files by name and content, without blobs behind it."""
    return Tree(
        files=tuple(
            File(path=path, sha256=sha256(content), size=len(content)) for path, content in contents.items()
        )
    )


def model(name: str = "ridge", content: str = "weights", **fields: object) -> Model:
    return Model.model_validate({"name": name, "version": 0, "tree": tree(pkl=content), **fields})


def spec(*models: Model, script: str = "def run(data): return data") -> DeploymentSpec:
    return DeploymentSpec(
        models=tuple(ModelMount(name=one.name, version=one.version, tree=one.tree) for one in models),
        code=Code(tree=tree(score=script), entry_script="score.py", entry_path="/home/ana/score.py"),
        environment=EnvironmentSpecification(name="sklearn", pip_packages=("scikit-learn",)),
        interpreter="/usr/bin/python3",
        variables={"LEVEL": "info"},
        secrets={"TOKEN": SecretStr("hunter2")},
    )


def generation(number: int = 1, of: DeploymentSpec | None = None) -> Generation:
    return Generation(number=number, state=GenerationState.PENDING, spec=of or spec())


def service(key: ServiceKey = KEY) -> Service:
    return Service(key=key, state=ServiceState.TRANSITIONING, publication=Publication(port=8890), desired=1)


@contextmanager
def program(source: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs the source in an interpreter of its own, for talking to through pipes; killed at the end."""
    command = [sys.executable, "-W", "error", "-c", source, *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def killed_when_it_says(word: str, source: str, *arguments: object) -> None:
    """Runs the source until it prints the word, then kills it as `kill -9` does."""
    with program(source, *arguments) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == word
