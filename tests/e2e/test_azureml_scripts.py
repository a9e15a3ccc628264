"""The scripts of examples/azureml run unchanged, and print what they printed with SDK v1."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from estiva.home import HOME_VARIABLE, Home
from estiva.sdk.connection import Connection
from tests.conftest import processes_in

EXAMPLES = Path(__file__).parent.parent.parent / "examples" / "azureml"

pytestmark = [pytest.mark.network, pytest.mark.xdist_group("azureml")]

EXPECTED = {
    "aci_keys": [
        "True",
        "Running",
        "Succeeded",
        'ACI service creation operation finished, operation "Succeeded"',
        "Healthy ACI",
        "prediction: [3.0, 5.0]",
        "by the SDK: [3.0, 5.0]",
        "the key is another: True True",
        "Without keys False demo",
    ],
    "collect_data": ["[1.0]", "[5.0]", "True"],
    "container_image": ["[7.0]"],
    "controlled_rollout": [
        "AKSENDPOINT ['version-a']",
        "version-a 20 False Control Healthy",
        "version-b 80 True Treatment Healthy",
        "['next', 3.0]",
        "['version-b']",
    ],
    "delete_idioms": [
        "no service WebserviceException WebserviceNotFound None",
        "no model WebserviceException ModelNotFound None",
        "page count UserErrorException True",
        "no target ComputeTargetException",
        "True True",
        "deleted delete-idioms",
        "nothing to delete: not-there",
        "False",
    ],
    "environments": [
        "['azureml-defaults', 'numpy>=1.26'] 3.11",
        "None 1 {'EXAMPLE': 'value'}",
        "['azureml_environment.json', 'conda_dependencies.yml'] saved",
        "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu -> Estiva-sklearn",
    ],
    "local_reload": [
        "SDK version: 1.61.0",
        "azureml-examples",
        "Registering model linear",
        "Checking container health...",
        "[3.0, 5.0, 7.0]",
        "Hello, Model",
    ],
    "many_models": [
        "['linear']",
        "True falling",
        "{'linear': 5.0, 'falling': -1.5}",
        "['falling', 'linear']",
    ],
    "no_script": ["Name: my-sklearn-model Framework: ScikitLearn CPU: 1"],
    "package_dockerfile": ["Package creation Succeeded", "Succeeded", "True"],
    "profile_model": ["100.0 True", "True True 1.0"],
    "register_from_run": ["[0.3, 0.2, 0.1] Completed ['outputs/linear.json']", "line-from-run\tTrue\tlines"],
    "aks_autoscale": [
        'AKS service creation operation finished, operation "Succeeded"',
        "Healthy my-aks",
        "[21.0]",
        "True 1 2 50",
        "5000 True",
        "2 6000",
    ],
    "troubleshooting": [
        "linear\tTrue",
        "Healthy",
        "[3.0, 5.0, 7.0, 9.0]",
        "[4, 3, 2, 1]",
        "[True]",
        "True True",
    ],
    "source_directory": ["running", "True True", "['source-directory']"],
    "update_model": [
        "before: [3.0]",
        "new version: True",
        "after: [10.0]",
        "back: [3.0]",
        "immutable: True",
        "{'team': 'lines'}",
    ],
}


@pytest.fixture
def folder(home: None, tmp_path: Path) -> Path:
    """The examples as they are: some write files that others read."""
    folder = tmp_path / "azureml"
    shutil.copytree(EXAMPLES, folder)
    script = folder / "troubleshooting.py"  # its port may be somebody else's here
    script.write_text(script.read_text().replace("port=8890", f"port={free_port()}"))
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One home for all, so that each environment is built once."""
    home = Home(tmp_path_factory.mktemp("h"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(HOME_VARIABLE, str(home.root))
        # Without an engine all kinds are processes; images of them have tests of their own.
        patch.setenv("DOCKER_HOST", f"unix://{home.root}/none.sock")
        yield
        connection = Connection(home)
        connection.stop()
        connection.close()
        psutil.wait_procs(processes_in(home.root), timeout=30)  # a gateway may take its time to drain
    if home.root not in home.runtime.parents:
        shutil.rmtree(home.runtime)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def run(folder: Path, name: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "estiva.azureml", f"{name}.py"],
        cwd=folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


# The long form of one has another package to install.
SCRIPTS = [pytest.param(name, marks=pytest.mark.slow) if name == "no_script" else name for name in EXPECTED]


@pytest.mark.parametrize("name", SCRIPTS)
def test_script(folder: Path, name: str) -> None:
    lines = run(folder, name).splitlines()
    missing = [line for line in EXPECTED[name] if line not in lines]
    assert not missing, "\n".join(lines)


def test_every_script_is_run() -> None:
    named = {path.stem for path in EXAMPLES.glob("*.py")} - {"score", "score_two", "score_collect"}
    assert named == set(EXPECTED)
    page = (EXAMPLES / "README.md").read_text()
    assert [name for name in named if f"[{name}.py]({name}.py)" not in page] == []


NOTEBOOKS = {
    "environments_and_errors": ["Estiva-sklearn", "True failed", "True"],
    "production_deploy_to_aks": [
        "Healthy",
        "prediction: [3.0]",
        'AKS service creation operation finished, operation "Succeeded"',
        "[]",
    ],
    "register_from_run_deploy_to_aci": ["[9.0]", "{'slope': 2.0}"],
    "register_model_deploy_local": [
        "SDK version: 1.61.0",
        "azureml-examples",
        "[2.0, 4.0, 6.0]",
        "'reloaded'",
    ],
}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook(folder: Path, name: str) -> None:
    """In a process of its own: what Jupyter warns of is not ours."""
    program = "from nbclient.cli import main; main()"
    command = [sys.executable, "-c", program, "--inplace", f"{name}.ipynb"]
    ended = subprocess.run(
        command, cwd=folder, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = printed(folder / f"{name}.ipynb")
    missing = [line for line in NOTEBOOKS[name] if line not in lines]
    assert not missing, "\n".join(lines)


def printed(notebook: Path) -> list[str]:
    """What the cells printed, and their values."""
    cells = json.loads(notebook.read_text())["cells"]
    texts = [
        "".join(output.get("text") or output.get("data", {}).get("text/plain", ""))
        for cell in cells
        for output in cell.get("outputs", [])
    ]
    return [line for text in texts for line in text.splitlines()]


def test_every_notebook_is_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.ipynb")} == set(NOTEBOOKS)
