"""What users give wrong, and what they are told: what happened, why, what to do. Nothing is lost by it."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from estiva import CondaDependencies, Environment, LocalWebservice, Model, Webservice, Workspace
from estiva.errors import EstivaError, MissingModelPath, UserErrorException, WebserviceException
from estiva.home import Home
from estiva.sdk.inference import InferenceConfig
from tests.e2e.conftest import DOUBLING, TRIPLING, Project, body

pytestmark = pytest.mark.xdist_group("bad-input")


@pytest.fixture
def workspace(shared_workspace: Workspace) -> Workspace:
    return shared_workspace


@contextmanager
def refused(kind: type[EstivaError], code: str) -> Iterator[list[str]]:
    """The message that the user sees, in a list, once the block has ended."""
    told: list[str] = []
    with pytest.raises(kind) as caught:
        yield told
    assert caught.value.code == code
    print(caught.value.message)
    told.append(caught.value.message)


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    path = tmp_path / "model.txt"
    path.write_text("a model")
    return path


# --- models ----------------------------------------------------------------------------------------------


def test_a_model_path_that_is_missing(workspace: Workspace, tmp_path: Path) -> None:
    with refused(MissingModelPath, "ModelPathNotFound") as told:
        Model.register(workspace, tmp_path / "nowhere.pkl", "missing")
    assert "nowhere.pkl' does not exist" in told[0]
    assert "A relative path is looked up from the current folder." in told[0]
    assert Model.list(workspace, name="missing") == []


@pytest.mark.parametrize("path", ["", "  "])
def test_a_model_path_that_is_empty(workspace: Workspace, path: str) -> None:
    """The system takes "" for the current folder, which nobody meant to register."""
    with refused(MissingModelPath, "ModelPathNotFound") as told:
        Model.register(workspace, path, "missing")
    assert told[0] == "The model path is empty: give the path of the model's file or folder."


def test_a_folder_without_files_is_no_model(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "hollow").mkdir()
    with refused(UserErrorException, "EmptyFolder") as told:
        Model.register(workspace, tmp_path / "hollow", "hollow")
    assert told[0] == f"{tmp_path / 'hollow'} is empty: there is no file in it to take."


def test_a_model_path_to_deploy_that_is_missing(project: Project) -> None:
    with refused(MissingModelPath, "ModelPathNotFound") as told:
        Model.deploy(project.workspace, "svc", ["./nowhere.pkl"], project.inference())
    assert "./nowhere.pkl' does not exist" in told[0]


def test_an_illegal_model_name_names_the_characters(workspace: Workspace, model_file: Path) -> None:
    with refused(WebserviceException, "InvalidName") as told:
        Model.register(workspace, model_file, "my model!")
    assert told[0].startswith('"my model!" cannot be the name of a model: it contains " ", "!".')
    assert "letters (a-z, A-Z), digits" in told[0]


def test_an_illegal_service_name_names_the_characters(project: Project) -> None:
    with refused(WebserviceException, "InvalidName") as told:
        project.deploy("My_Svc")
    assert told[0].startswith('"My_Svc" cannot be the name of a service: it contains "M", "_", "S".')
    assert "lower-case letters (a-z), digits" in told[0]


def test_a_name_with_a_slash(project: Project, model_file: Path) -> None:
    with refused(UserErrorException, "NameInvalid"):
        project.deploy("a/b")
    with refused(WebserviceException, "InvalidName") as told:
        Model.register(project.workspace, model_file, "a/b")
    assert 'it contains "/"' in told[0]


# --- names and ports that are taken ----------------------------------------------------------------------


def test_the_same_name_again_without_overwrite(project: Project) -> None:
    service = project.deploy("once")
    project.write(TRIPLING)
    with refused(WebserviceException, "ServiceExists") as told:
        project.deploy("once")
    assert told[0] == (
        'The service "once" exists already in the workspace "tests". '
        "Replace it with overwrite=True (--overwrite), update it, or choose another name."
    )
    assert service.run(body(1)) == [2]


def test_a_port_of_another_program(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with refused(WebserviceException, "PortInUse") as told:
            deploy_at(project, "svc", port)
    assert f"Port {port} on 127.0.0.1 is in use by " in told[0]
    assert f"(pid {os.getpid()})" in told[0]
    assert "Choose another port, leave the port out to get a free one, or end that program." in told[0]


def test_a_port_of_another_service(project: Project) -> None:
    first = project.deploy("first")
    with refused(WebserviceException, "PortInUse") as told:
        deploy_at(project, "second", int(str(first.port)))
    assert f"Port {first.port} belongs to the service tests/first." in told[0]
    assert "delete that service" in told[0]


@pytest.mark.parametrize("port", [0, -1, 65_536, "8890"])
def test_a_port_out_of_range(port: int) -> None:
    with refused(WebserviceException, "PortInvalid") as told:
        LocalWebservice.deploy_configuration(port=port)
    assert told[0] == (
        f"port {port!r} is not a port: use an integer from 1 to 65535, or leave it out for a free one."
    )


def deploy_at(project: Project, name: str, port: int) -> Webservice:
    return Model.deploy(
        project.workspace, name, [], project.inference(), LocalWebservice.deploy_configuration(port=port)
    )


# --- environments ----------------------------------------------------------------------------------------


def test_yaml_that_is_not_yaml(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text("name: x\ndependencies: [pip\n  - numpy: {\n")
    with refused(UserErrorException, "SpecificationInvalid") as told:
        Environment.from_conda_specification("x", file)
    assert f"{file}" in told[0]
    assert "line 3" in told[0]


def test_yaml_with_unknown_keys(tmp_path: Path) -> None:
    file = tmp_path / "environment.yml"
    file.write_text("name: x\ndependancies:\n  - numpy\n")
    with refused(UserErrorException, "SpecificationInvalid") as told:
        Environment.from_conda_specification("x", file)
    assert "dependancies" in told[0]
    assert "dependencies" in told[0].replace("dependancies", "")


@pytest.mark.network
def test_pins_that_exclude_each_other(project: Project) -> None:
    service = deploy_with(project, "pinned", "pandas==2.2.3", "numpy==1.20.0")
    with refused(WebserviceException, "VersionConflict") as told:
        service.wait_for_deployment()
    assert "pandas==2.2.3" in told[0]
    assert "numpy==1.20.0" in told[0]
    assert len(told[0].splitlines()) < 30


@pytest.mark.network
def test_a_package_that_does_not_exist(project: Project) -> None:
    service = deploy_with(project, "unknown", "estiva-no-such-package-here")
    with refused(WebserviceException, "PackageNotFound") as told:
        service.wait_for_deployment()
    assert "estiva-no-such-package-here" in told[0]
    assert "does not exist" in told[0]
    assert service.state == LocalWebservice.STATE_FAILED


def deploy_with(project: Project, name: str, *packages: str) -> Webservice:
    environment = Environment(name)
    environment.python.conda_dependencies = CondaDependencies.create(
        pip_packages=["azureml-defaults", *packages]
    )
    inference = InferenceConfig(entry_script=str(project.folder / "score.py"), environment=environment)
    return Model.deploy(project.workspace, name, [], inference)


# --- entry scripts ---------------------------------------------------------------------------------------


def test_an_entry_script_that_is_missing(tmp_path: Path) -> None:
    with refused(WebserviceException, "EntryScriptNotFound") as told:
        InferenceConfig(entry_script=str(tmp_path / "nowhere.py"))
    assert f"was not found at {tmp_path / 'nowhere.py'}" in told[0]


def test_an_entry_script_that_is_gone_at_a_reload(project: Project) -> None:
    service = project.deploy("gone")
    (project.folder / "score.py").unlink()
    with refused(WebserviceException, "EntryScriptNotFound") as told:
        service.reload()
    assert "does not exist (any more). Put it back, or deploy with its new path." in told[0]
    assert service.run(body(2)) == [4]


def test_an_entry_script_that_is_not_python(project: Project) -> None:
    project.write("not python", "score.txt")
    with refused(WebserviceException, "EntryScriptName") as told:
        InferenceConfig(entry_script=str(project.folder / "score.txt"))
    assert "is not a Python file: its name must end in .py." in told[0]


def test_an_entry_script_with_a_syntax_error(project: Project) -> None:
    project.write("import json\n\ndef init()\n    pass\n")
    with refused(UserErrorException, "ScriptSyntax") as told:
        project.inference()
    assert "score.py, line 3, column 11: " in told[0]
    assert "    def init()" in told[0]


def test_a_reloaded_script_with_a_syntax_error(project: Project) -> None:
    service = project.deploy("syntax")
    project.write("import json\n\ndef init()\n    pass\n")
    service.reload()
    with refused(WebserviceException, "SyntaxError") as told:
        service.wait_for_deployment()
    assert told[0].startswith("Syntax error in score.py, line 3, column 11\n")
    assert "  evidence  | def init()\n            |           ^\n" in told[0]
    assert "goes on serving" in told[0]
    assert service.run(body(2)) == [4]


@pytest.mark.parametrize(
    ("script", "code", "name"),
    [
        ("def run(data):\n    return 0\n", "InitMissing", "init()"),
        ("def init():\n    pass\n", "RunMissing", "run(data)"),
    ],
)
def test_a_script_without_init_or_run(project: Project, script: str, code: str, name: str) -> None:
    project.write(script)
    service = project.deploy(f"without-{name[:3]}".rstrip("("), wait=False)
    with refused(WebserviceException, code) as told:
        service.wait_for_deployment()
    assert told[0].startswith(f"score.py has no {name}\n")
    assert 'Define both in score.py: "def init():" and "def run(data):".' in told[0]


# --- requests --------------------------------------------------------------------------------------------


def test_a_result_that_json_cannot_hold(project: Project) -> None:
    project.write(
        "import numpy\n\ndef init():\n    pass\n\ndef run(data):\n    return {'rows': [numpy.ones(2)]}\n"
    )
    service = project.deploy("unjson")
    with refused(WebserviceException, "ScoringFailed") as told:
        service.run("")
    assert "Response Code: 502" in told[0]
    assert (
        "run() returned what JSON cannot hold: result['rows'][0] is of type numpy.ndarray. "
        "Return its .tolist() instead." in service.get_logs()
    )


def test_a_body_that_is_not_utf8(project: Project) -> None:
    service = project.deploy("text")
    answer = post(service, b'{"data": "\xff"}')
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "UTF-8" in answer.json()["message"]
    assert service.run(body(3)) == [6]


def test_a_body_over_the_limit(project: Project) -> None:
    """The gateway knows from the header; without one the scoring server counts."""
    service = project.deploy("large")
    port = int(str(service.port))
    declared = exchange(port, b"POST /score HTTP/1.1\r\nhost: x\r\ncontent-length: 104857601\r\n\r\n")
    assert declared.startswith(b"HTTP/1.1 413 ")
    assert b"is larger than 104857600 bytes, the limit of service large." in declared
    counted = post(service, (b"x" * (1 << 20) for _ in range(101)))
    assert counted.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
    assert "104,857,600 bytes" in counted.json()["message"]
    assert service.run(body(3)) == [6]


def post(service: Webservice, content: bytes | Iterator[bytes]) -> httpx.Response:
    return httpx.post(str(service.scoring_uri), content=content, timeout=30, trust_env=False)


def exchange(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        return connection.recv(65536)


# --- several at once, and twice --------------------------------------------------------------------------


def together(*actions: Callable[[], object]) -> list[object]:
    """What each returned or raised, all begun at the same moment."""
    start = threading.Barrier(len(actions))

    def act(action: Callable[[], object]) -> object:
        start.wait(timeout=10)
        try:
            return action()
        except EstivaError as error:
            return error

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def test_two_deployments_of_one_service_without_overwrite(project: Project) -> None:
    outcomes = together(*[lambda: project.deploy("contested")] * 2)
    errors = [outcome for outcome in outcomes if isinstance(outcome, EstivaError)]
    services = [outcome for outcome in outcomes if isinstance(outcome, LocalWebservice)]
    assert [error.code for error in errors] == ["ServiceExists"]
    assert 'The service "contested" exists already in the workspace "tests".' in errors[0].message
    assert [service.run(body(4)) for service in services] == [[8]]


def test_two_deployments_of_one_service_with_overwrite(project: Project) -> None:
    """Both callers come back when the newest serves, and nothing of the other is left."""
    project.deploy("replaced")
    ours = InferenceConfig(entry_script=str(project.write(DOUBLING, "one.py")))
    theirs = InferenceConfig(entry_script=str(project.write(TRIPLING, "two.py")))

    def replace(inference: InferenceConfig) -> Callable[[], object]:
        def act() -> Webservice:
            service = Model.deploy(project.workspace, "replaced", [], inference, overwrite=True)
            service.wait_for_deployment()
            return service

        return act

    outcomes = together(replace(ours), replace(theirs))
    for outcome in outcomes:
        assert isinstance(outcome, LocalWebservice), outcome
        assert outcome.state == LocalWebservice.STATE_RUNNING
        assert outcome.generation == 3
    assert len({outcome.scoring_uri for outcome in outcomes if isinstance(outcome, LocalWebservice)}) == 1
    newest = LocalWebservice(project.workspace, "replaced")
    expected = [8] if "one.py" in newest._view.desired.spec.code.entry_path else [12]
    assert newest.run(body(4)) == expected


def test_two_first_deployments_with_overwrite(project: Project) -> None:
    """Neither finds a service to replace when it asks, and still none is refused."""
    outcomes = together(*[lambda: project.deploy("newborn", overwrite=True)] * 2)
    assert [outcome.generation for outcome in outcomes if isinstance(outcome, LocalWebservice)] == [2, 2]


def test_a_service_that_is_deleted_while_it_is_awaited(project: Project) -> None:
    project.write("import time\n\ndef init():\n    time.sleep(60)\n\ndef run(data):\n    return 0\n")
    service = project.deploy("doomed", wait=False)
    waiting = ThreadPoolExecutor(1)
    waiter = waiting.submit(service.wait_for_deployment)
    LocalWebservice(project.workspace, "doomed").delete()
    with refused(WebserviceException, "WebserviceNotFound") as told:
        waiter.result(timeout=20)
    assert "doomed" in told[0]
    waiting.shutdown()


# --- damage ----------------------------------------------------------------------------------------------


def test_a_damaged_blob_is_named(project: Project, model_file: Path, tmp_path: Path) -> None:
    model_file.write_text("a model that will be damaged")
    model = Model.register(project.workspace, model_file, "damaged")
    digest = model.record.tree.files[0].sha256
    blob = Home.current().blobs / digest[:2] / digest[2:]
    blob.chmod(0o644)
    blob.write_text("other bytes")
    with refused(WebserviceException, "BlobDamaged") as told:
        model.download(tmp_path / "out")
    assert "model.txt of model damaged:1 is damaged" in told[0]
    assert "Register the model again." in told[0]
    service = Model.deploy(project.workspace, "damaged", [model], project.inference())
    with refused(WebserviceException, "BlobDamaged") as told:
        service.wait_for_deployment()
    assert told[0].startswith("A registered file is damaged\n")
    assert digest in told[0]
    assert "Of model damaged:1: " in told[0]
    Model.register(project.workspace, model_file, "damaged")
    service.update([model])
    service.wait_for_deployment()
    assert service.run(body(1)) == [2]
