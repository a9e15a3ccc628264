from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.serving import SECONDS, write_files

INSTALL = "import estiva_server.shims; estiva_server.shims.install()\n"


def run(code: str, folder: Path) -> str:
    """What a Python that starts as those in our environments do prints, or its last word on failing."""
    ended = subprocess.run(
        [sys.executable, "-c", INSTALL + code],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return ended.stdout.strip() if ended.returncode == 0 else ended.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    "name",
    [
        "azureml",
        "azureml.core",
        "azureml.core.model",
        "azureml.exceptions",
        "azureml.contrib",
        "azureml.contrib.services",
        "azureml.contrib.services.aml_request",
        "azureml.contrib.services.aml_response",
    ],
)
def test_each_can_be_imported(tmp_path: Path, name: str) -> None:
    assert run(f"import {name}; print({name}.__name__)", tmp_path) == name


def test_names_that_scripts_import(tmp_path: Path) -> None:
    code = (
        "from azureml.core import Model, VERSION\n"
        "from azureml.core.model import Model as M\n"
        "from azureml.exceptions import WebserviceException, ModelNotFoundException\n"
        "from azureml.contrib.services.aml_request import rawhttp, AMLRequest\n"
        "from azureml.contrib.services.aml_response import AMLResponse\n"
        "print(Model is M, VERSION)"
    )
    assert run(code, tmp_path) == "True 1.61.0"


def test_other_modules_of_theirs_are_missing_as_usual(tmp_path: Path) -> None:
    assert run("import azureml.train", tmp_path) == "ModuleNotFoundError: No module named 'azureml.train'"
    assert run("import azure", tmp_path) == "ModuleNotFoundError: No module named 'azure'"


def test_a_real_package_wins(tmp_path: Path) -> None:
    write_files(tmp_path, {"azureml/__init__.py": "REAL = True", "azureml/core.py": "VERSION = 'real'"})
    code = "import azureml.core, azureml.exceptions; print(azureml.REAL, azureml.core.VERSION)"
    assert run(code, tmp_path) == "True real"


def test_installing_twice_is_installing_once(tmp_path: Path) -> None:
    code = INSTALL + "import sys; print(sum(f is estiva_server.shims.StandIns for f in sys.meta_path))"
    assert run(code, tmp_path) == "1"


def test_the_start_of_every_python_costs_nothing(tmp_path: Path) -> None:
    code = f"import sys; before = set(sys.modules)\n{INSTALL}\nprint(*set(sys.modules) - before)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert set(found.stdout.split()) <= {"estiva_server", "estiva_server.shims", "__future__"}


def test_ptvsd_without_debugpy_says_what_to_install(tmp_path: Path) -> None:
    said = run("import sys; sys.modules['debugpy'] = None\nimport ptvsd", tmp_path)
    assert said.startswith("ImportError: ptvsd is no longer maintained")
    assert "Add debugpy" in said


def test_ptvsd_calls_debugpy(tmp_path: Path) -> None:
    recorder = (
        "def listen(address): print('listen', *address)\n"
        "def wait_for_client(): print('wait')\n"
        "def breakpoint(): print('break')\n"
        "def is_client_connected(): return True\n"
    )
    write_files(tmp_path, {"debugpy.py": recorder})
    code = (
        "import ptvsd\n"
        "ptvsd.enable_attach(address=('127.0.0.1', 5678), redirect_output=True)\n"
        "ptvsd.wait_for_attach()\n"
        "ptvsd.break_into_debugger()\n"
        "print(ptvsd.is_attached())"
    )
    assert run(code, tmp_path).split("\n") == ["listen 127.0.0.1 5678", "wait", "break", "True"]


def test_raw_http_is_the_same_under_all_its_names(tmp_path: Path) -> None:
    code = (
        "from azureml.contrib.services.aml_request import rawhttp, AMLRequest\n"
        "from azureml.contrib.services.aml_response import AMLResponse\n"
        "import azureml_inference_server_http.api.aml_request as request\n"
        "import azureml_inference_server_http.api.aml_response as response\n"
        "import estiva_server as ours\n"
        "print(rawhttp is request.rawhttp is ours.rawhttp)\n"
        "print(AMLRequest is request.AMLRequest is ours.AMLRequest)\n"
        "print(AMLResponse is response.AMLResponse is ours.AMLResponse)"
    )
    assert run(code, tmp_path) == "True\nTrue\nTrue"


def test_raw_http_without_werkzeug_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['werkzeug.wrappers'] = None\n"
        "from azureml.contrib.services.aml_request import rawhttp"
    )
    assert run(code, tmp_path) == (
        "ImportError: Raw HTTP (@rawhttp, AMLRequest, AMLResponse) needs werkzeug, which is not installed. "
        "Install it, or add it to the environment's pip packages."
    )
