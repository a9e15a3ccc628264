"""The whole way, as the control server goes it."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from estiva.environments import Environments
from estiva.records import EnvironmentSpecification, Lock
from estiva.specification import parse_conda
from tests.environments.conftest import Wheels

pytestmark = pytest.mark.network


def lock(environments: Environments, spec: EnvironmentSpecification) -> Lock:
    return environments.lock(spec, sys.executable, lambda _: None, lambda: False)


def build(environments: Environments, lock: Lock) -> str:
    return environments.build(lock, lambda _: None, lambda: False)


def asked(python: str, program: str) -> str:
    done = subprocess.run([python, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_from_a_conda_file_to_an_environment(environments: Environments) -> None:
    version = "{}.{}".format(*sys.version_info)
    text = f"dependencies: [python={version}, idna=3.6, pip: [azureml-defaults, six==1.16.0]]"
    locked = lock(environments, parse_conda(text, name="myenv").model_copy(update={"resolver": "pypi"}))
    assert environments.packages(locked) == ("idna==3.6", "six==1.16.0")
    assert locked.notices == ("Conda packages are installed from PyPI: idna==3.6.*.",)
    assert not environments.ready(locked)
    python = build(environments, locked)
    assert environments.ready(locked)
    assert asked(python, "import six, idna; print(six.__version__, idna.__version__)") == "1.16.0 3.6"
    assert asked(python, "import azureml.core.model, estiva_server; print('found')") == "found"


def test_what_is_locked_and_built_costs_no_process_and_milliseconds(
    environments: Environments, wheels: Wheels, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels.make("thing", "1.0")
    spec = wheels.specification("thing", "azureml-defaults")
    build(environments, lock(environments, spec))
    monkeypatch.setattr(subprocess, "Popen", None)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        locked = lock(environments, spec)
        assert environments.ready(locked)
        build(environments, locked)
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.05


def test_a_borrowed_environment(environments: Environments) -> None:
    spec = EnvironmentSpecification(name="e", borrowed_from=sys.executable)
    locked = lock(environments, spec)
    assert f"pytest=={pytest.__version__}" in environments.packages(locked)
    assert (
        asked(build(environments, locked), "import pytest; print(pytest.__version__)") == pytest.__version__
    )
    assert lock(environments, spec).digest == locked.digest
