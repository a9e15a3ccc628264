"""A service from deployment to deletion, as the SDK's users see it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from estiva import LocalWebservice, Model, Webservice, Workspace
from estiva.errors import WebserviceException
from estiva.home import Home
from estiva.sdk.connection import connect
from tests.conftest import processes_in
from tests.e2e.conftest import TRIPLING, Project, answers, body, wait_until

MODEL_SCRIPT = """
import os
from azureml.core.model import Model

def init():
    global text
    folder = os.environ["AZUREML_MODEL_DIR"]
    with open(os.path.join(folder, "model.txt")) as file:
        text = file.read()
    with open(Model.get_model_path("words")) as file:
        assert file.read() == text

def run(data):
    return {"model": text, "folder": os.environ["AZUREML_MODEL_DIR"], "cwd": sorted(os.listdir("."))}
"""


def test_a_deployed_service_answers(project: Project) -> None:
    service = project.deploy()
    assert service.run(body(1, 2)) == [2, 4]
    assert service.state == LocalWebservice.STATE_RUNNING
    assert service.scoring_uri == f"http://localhost:{service.port}/score"
    assert httpx.get(str(service.swagger_uri)).json()["paths"]["/score"]


def test_a_model_is_where_scripts_look_for_it(project: Project, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("a model")
    model = Model.register(project.workspace, model_path=str(tmp_path / "model.txt"), model_name="words")
    project.write(MODEL_SCRIPT)
    service = Model.deploy(project.workspace, "words", [model], project.inference())
    service.wait_for_deployment()
    assert service.run("") == {
        "model": "a model",
        "folder": "azureml-models/words/1",
        "cwd": ["azureml-models", "score.py"],
    }


def test_a_deployment_shows_its_steps_and_a_line_to_paste(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    service = project.deploy(wait=False)
    service.wait_for_deployment(show_output=True)
    printed = capsys.readouterr().out
    positions = [printed.index(f"\n  {step} ") for step in ("environment", "start", "init", "health")]
    assert positions == sorted(positions)
    assert (
        f"curl -X POST -H 'Content-Type: application/json' -d '{{\"data\": []}}' {service.scoring_uri}"
        in printed
    )


def test_reload_serves_the_edited_script(project: Project) -> None:
    service = project.deploy()
    project.write(TRIPLING)
    service.reload()
    service.wait_for_deployment()
    assert service.run(body(1, 2)) == [3, 6]


def test_another_process_attaches_and_reloads(project: Project) -> None:
    project.deploy()
    project.write(TRIPLING)
    script = (
        "from estiva import LocalWebservice, Workspace\n"
        "service = LocalWebservice(Workspace.get('tests'), 'doubling')\n"
        "service.reload(wait=True)\n"
        "print(service.run('{\"data\": [5]}'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "[15]\n"


def test_a_failed_reload_leaves_the_present_serving_and_says_so(project: Project) -> None:
    service = project.deploy()
    project.write("def init():\n    raise ValueError('broken on purpose')\n\ndef run(data):\n    return 0\n")
    service.reload()
    with pytest.raises(WebserviceException) as caught:
        service.wait_for_deployment()
    assert "broken on purpose" in caught.value.message
    assert "score.py" in caught.value.message
    assert "generation 1 of 'doubling' goes on serving" in caught.value.message
    assert service.run(body(4)) == [8]
    assert service.state == LocalWebservice.STATE_RUNNING


def test_a_failed_first_deployment_names_the_line(project: Project) -> None:
    project.write("import json\n\n\ndef init():\n    open('missing.bin')\n\n\ndef run(data):\n    return 0\n")
    service = project.deploy(wait=False)
    with pytest.raises(WebserviceException) as caught:
        service.wait_for_deployment()
    assert "score.py" in caught.value.message
    assert "line 5" in caught.value.message
    assert "missing.bin" in caught.value.message
    assert service.state == LocalWebservice.STATE_FAILED
    assert "FileNotFoundError" in service.get_logs()


def test_an_exception_in_run_is_502_and_runs_once(project: Project, tmp_path: Path) -> None:
    count = tmp_path / "count"
    project.write(
        "def init():\n    pass\n\n"
        f"def run(data):\n    open({str(count)!r}, 'a').write('x')\n    raise RuntimeError('no')\n"
    )
    service = project.deploy()
    with pytest.raises(WebserviceException, match="Response Code: 502") as caught:
        service.run(body(1))
    assert caught.value.status_code == 502
    assert caught.value.request_id
    assert count.read_text() == "x"
    # The answer does not wait for the log's way through the supervisor to the disk.
    wait_until(lambda: str(caught.value.request_id) in service.get_logs(), 5, "the log has the request id")


def test_update_takes_other_models(project: Project, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("first")
    project.write(MODEL_SCRIPT)
    first = Model.register(project.workspace, str(tmp_path / "model.txt"), "words")
    service = Model.deploy(project.workspace, "words", [first], project.inference())
    service.wait_for_deployment()
    (tmp_path / "model.txt").write_text("second")
    second = Model.register(project.workspace, str(tmp_path / "model.txt"), "words")
    service.update([second])
    service.wait_for_deployment()
    assert service.run("")["model"] == "second"
    assert service.models == ["words:2"]


def test_labels_change_without_a_new_generation(project: Project) -> None:
    service = project.deploy()
    service.update(deployment_config=service.deployment_configuration(tags={"stage": "trial"}))
    assert (service.tags, service.generation) == ({"stage": "trial"}, 1)
    service.update(deployment_config=service.deployment_configuration(tags={}, description="doubles"))
    assert (service.tags, service.description, service.generation) == ({}, "doubles", 1)


def test_delete_twice(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    service = project.deploy()
    service.delete()
    service.delete()
    assert "There is no service 'doubling' (any more)." in capsys.readouterr().out
    with pytest.raises(WebserviceException, match="WebserviceNotFound"):
        Webservice(project.workspace, "doubling")


def test_a_model_in_use_is_not_deleted(project: Project, tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("used")
    model = Model.register(project.workspace, str(tmp_path / "model.txt"), "words")
    service = Model.deploy(project.workspace, "user-of-words", [model], project.inference())
    service.wait_for_deployment()
    with pytest.raises(WebserviceException, match="user-of-words") as caught:
        model.delete()
    assert caught.value.code == "DeletionRequired"
    service.delete()
    model.delete()
    assert Workspace.get("tests").models == {}


def test_waiting_has_a_limit_of_its_own(project: Project) -> None:
    project.write("import time\n\ndef init():\n    time.sleep(1000)\n\ndef run(data):\n    return 0\n")
    service = project.deploy(wait=False)
    with pytest.raises(WebserviceException, match="took more than 1 s and goes on") as caught:
        service.wait_for_deployment(timeout_sec=1)
    assert caught.value.code == "WaitTimeout"
    assert service.state == LocalWebservice.STATE_DEPLOYING


def test_an_init_that_never_ends_is_ended_and_reported(project: Project) -> None:
    project.write("import time\n\ndef init():\n    time.sleep(1000)\n\ndef run(data):\n    return 0\n")
    configuration = LocalWebservice.deploy_configuration(init_timeout_sec=1)
    service = Model.deploy(project.workspace, "sleeper", [], project.inference(), configuration)
    with pytest.raises(WebserviceException, match="init\\(\\) did not finish within 1 seconds") as caught:
        service.wait_for_deployment()
    assert caught.value.code == "InitTimeout"
    assert service.state == LocalWebservice.STATE_FAILED


def test_services_come_back_after_everything_was_ended(project: Project, home: Home) -> None:
    """As after a reboot: no control server, no gateway, no replica; the first command brings all back."""
    service = project.deploy()
    for process in processes_in(home.root):
        process.kill()
    connect().ensure()
    wait_until(lambda: answers(service), 30, "the service answers again")
    service.update_deployment_state()
    assert service.generation == 1


BATCHED = """
from estiva_server import batched

def init():
    pass

@batched(max_size=8, max_wait_ms=60_000)
def run(data):
    return [len(data)] * len(data)
"""


def test_the_gateway_lets_as_many_through_as_a_batch_takes(project: Project) -> None:
    project.write(BATCHED)
    service = project.deploy("batched")
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(service.run, ["{}"] * 8)) == [8] * 8
