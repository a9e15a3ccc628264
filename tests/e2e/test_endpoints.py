"""Endpoints: versions that come, share the requests and go, as their callers see it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import httpx
import joblib
import pytest
import typer
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge
from typer.testing import CliRunner

from estiva import AksEndpoint, AksWebservice, Endpoint, InferenceConfig, Model, Webservice, Workspace
from estiva.cli import app, completion
from estiva.errors import UserErrorException, WebserviceException
from estiva.home import Home
from estiva.records import VERSION_HEADER
from estiva.sdk.connection import connect
from tests.conftest import processes_in
from tests.e2e.conftest import DOUBLING, TRIPLING, body, wait_until

REGRESSION = """
import json, os, pathlib, joblib

def init():
    global model
    model = joblib.load(next(pathlib.Path(os.environ["AZUREML_MODEL_DIR"]).iterdir()))

def run(data):
    return model.predict(json.loads(data)["data"]).round(3).tolist()
"""
BROKEN = "def init():\n    raise ValueError('no weights')\n\ndef run(data):\n    return 0\n"
CRASHING = "import os\n\ndef init():\n    pass\n\ndef run(data):\n    os._exit(9)\n"
ONE = body(1)
NAMES = (f"endpoint-{number}" for number in count())

pytestmark = pytest.mark.xdist_group("endpoints")


class Lab:
    """What makes endpoints without keys, whose versions multiply."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self.workspace = workspace
        self._folder = folder

    def script(self, text: str) -> InferenceConfig:
        path = self._folder / "score.py"
        path.write_text(text)
        return InferenceConfig(entry_script=str(path))

    def command(self, *words: str, status: int = 0) -> str:
        """What `estiva endpoint` prints for people; `*` stands for the workspace and JSON."""
        json_output = ["--workspace", self.workspace.name, "--output", "json"]
        arguments = [part for word in words for part in (json_output if word == "*" else [word])]
        result = CliRunner().invoke(app, ["endpoint", *arguments])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result.stdout

    def endpoint(self, script: str = DOUBLING, version: str = "a", auth: bool = False) -> Endpoint:
        configuration = AksEndpoint.deploy_configuration(version_name=version, auth_enabled=auth)
        made = Model.deploy(self.workspace, next(NAMES), [], self.script(script), configuration)
        made.wait_for_deployment()
        assert isinstance(made, Endpoint)
        return made


@pytest.fixture
def lab(shared_workspace: Workspace, tmp_path: Path) -> Iterator[Lab]:
    yield Lab(shared_workspace, tmp_path)
    for service in shared_workspace.webservices.values():
        service.delete()


@pytest.fixture
def both(lab: Lab) -> Endpoint:
    """With the versions a, which doubles and is the default, and b, which triples and gets nothing."""
    made = lab.endpoint()
    made.create_version("b", inference_config=lab.script(TRIPLING))
    made.wait_for_deployment()
    return made


def ask(service: Webservice, **headers: str) -> str:
    answer = httpx.post(str(service.scoring_uri), content=ONE, headers=headers, timeout=30)
    return f"{answer.status_code} {answer.text}" if answer.status_code != 200 else answer.text


def ask_many(service: Webservice, number: int = 100, content: str = ONE) -> Counter[str]:
    with httpx.Client(timeout=30, trust_env=False) as http:
        answers = (http.post(str(service.scoring_uri), content=content) for _ in range(number))
        return Counter(f"{answer.status_code} {answer.text}" for answer in answers)


@contextmanager
def load(service: Webservice, content: str = ONE) -> Iterator[Counter[str]]:
    """Two callers who ask without a pause, and what they were told."""
    told: Counter[str] = Counter()
    ended = threading.Event()

    def call() -> None:
        while not ended.is_set():
            told.update(ask_many(service, 10, content))

    callers = [threading.Thread(target=call) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        yield told
    finally:
        ended.set()
        for caller in callers:
            caller.join()


def shares(endpoint: Endpoint) -> dict[str, int]:
    endpoint.update_deployment_state()
    return {version.name: version.traffic_percentile for version in endpoint.versions.values()}


def test_a_rollout_of_real_models_loses_no_request(lab: Lab, tmp_path: Path) -> None:
    features, target = load_diabetes(return_X_y=True)
    paths = [tmp_path / "old.pkl", tmp_path / "new.pkl"]
    for path, scale in zip(paths, (1, 10), strict=True):
        joblib.dump(Ridge().fit(features, scale * target), path)
    old, new = (
        Model.register(lab.workspace, path, path.stem, model_framework="ScikitLearn") for path in paths
    )
    sample = json.dumps({"data": features[:1].tolist()})
    predictions = (joblib.load(path).predict(features[:1]).round(3).tolist() for path in paths)
    told_by = [f"200 {json.dumps(prediction)}" for prediction in predictions]
    configuration = AksEndpoint.deploy_configuration(version_name="old", auth_enabled=False)
    endpoint = Model.deploy(lab.workspace, next(NAMES), [old], lab.script(REGRESSION), configuration)
    endpoint.wait_for_deployment()
    assert isinstance(endpoint, Endpoint)
    endpoint.create_version(
        "new", models=[new], inference_config=lab.script(REGRESSION), traffic_percentile=10
    )
    endpoint.wait_for_deployment()

    assert ask_many(endpoint, 100, sample) == {told_by[0]: 90, told_by[1]: 10}
    with load(endpoint, sample) as told:
        endpoint.update_version("new", traffic_percentile=50)
        assert shares(endpoint) == {"old": 50, "new": 50}
        endpoint.set_traffic({}, default="new")
        assert shares(endpoint) == {"old": 0, "new": 100}
        endpoint.versions["old"].delete()
        seen = told.total()
        wait_until(lambda: told.total() > seen + 20, 60, "answers when the old version has gone")
    assert set(told) == set(told_by)
    assert ask_many(endpoint, 10, sample) == {told_by[1]: 10}
    assert shares(endpoint) == {"new": 100}


def test_the_split_is_exact(both: Endpoint, lab: Lab) -> None:
    both.create_version("c", inference_config=lab.script(DOUBLING.replace("2 *", "4 *")))
    both.wait_for_deployment()
    both.set_traffic({"b": 40, "c": 10})
    assert ask_many(both) == {"200 [2]": 50, "200 [3]": 40, "200 [4]": 10}
    assert ask_many(both) == {"200 [2]": 50, "200 [3]": 40, "200 [4]": 10}
    measured = both.get_measures()
    assert {name: one.statuses for name, one in measured.items()} == {
        "a": {"200": 100},
        "b": {"200": 80},
        "c": {"200": 20},
    }
    assert all(0 <= one.p50_ms <= one.p99_ms < 30_000 for one in measured.values())


def test_a_header_picks_a_version_and_another_one_keeps_callers_at_theirs(both: Endpoint) -> None:
    assert [ask(both, **{VERSION_HEADER: name}) for name in ("a", "b")] == ["[2]", "[3]"]
    assert "no such version" in ask(both, **{VERSION_HEADER: "c"})
    assert both.versions["b"].run(body(1)) == [3]
    both.set_traffic({"b": 50})
    both.update(sticky_header="x-user", description="Sticky")
    assert (both.sticky_header, both.description) == ("x-user", "Sticky")
    told = {user: {ask(both, **{"x-user": user}) for _ in range(5)} for user in map(str, range(12))}
    assert {len(answers) for answers in told.values()} == {1}
    assert set.union(*told.values()) == {"[2]", "[3]"}
    both.update(sticky_header="")
    assert both.sticky_header is None


def test_a_version_that_fails_changes_nothing_for_callers(both: Endpoint, lab: Lab) -> None:
    both.set_traffic({"b": 10})
    both.create_version("bad", inference_config=lab.script(BROKEN), traffic_percentile=30, is_default=True)
    with pytest.raises(WebserviceException, match="no weights"):
        both.wait_for_deployment()
    assert (shares(both), both.state) == ({"a": 90, "b": 10, "bad": 0}, "Healthy")
    both.update_version("b", inference_config=lab.script(BROKEN))
    with pytest.raises(WebserviceException, match="no weights"):
        both.wait_for_deployment()
    assert ask_many(both) == {"200 [2]": 90, "200 [3]": 10}
    with pytest.raises(WebserviceException, match=r"'bad' .* has not become healthy") as caught:
        both.set_traffic({"bad": 5})
    assert caught.value.code == "VersionNotHealthy"

    both.update_version("bad", inference_config=lab.script(DOUBLING.replace("2 *", "5 *")))
    both.wait_for_deployment()
    assert both.default_version.name == "bad"
    assert ask_many(both) == {"200 [3]": 10, "200 [5]": 90}


def test_changes_under_load_lose_no_request(both: Endpoint, lab: Lab) -> None:
    both.set_traffic({"b": 50})
    with load(both) as told:
        both.update_version("b", inference_config=lab.script(DOUBLING.replace("2 *", "4 *")))
        both.wait_for_deployment()
        both.versions["a"].scale(2, wait=True)
        both.set_traffic({"b": 20})
        both.delete_version("b")
        wait_until(lambda: list(shares(both)) == ["a"], 60, "the version has gone")
    assert set(told) == {"200 [2]", "200 [3]", "200 [4]"}
    assert ask_many(both, 10) == {"200 [2]": 10}


def test_a_version_that_crashes_harms_no_other(both: Endpoint, lab: Lab) -> None:
    both.create_version("crash", inference_config=lab.script(CRASHING), traffic_percentile=0)
    both.wait_for_deployment()
    ended = threading.Event()

    def crash() -> None:
        while not ended.is_set():
            ask(both, **{VERSION_HEADER: "crash"})

    caller = threading.Thread(target=crash)
    caller.start()
    try:
        assert ask_many(both) == {"200 [2]": 100}
    finally:
        ended.set()
        caller.join()
    assert ask(both, **{VERSION_HEADER: "b"}) == "[3]"


def test_endpoints_and_a_service_live_beside_each_other(both: Endpoint, lab: Lab) -> None:
    other = lab.endpoint(DOUBLING.replace("2 *", "6 *"), auth=True)
    service = Model.deploy(
        lab.workspace,
        next(NAMES),
        [],
        lab.script(DOUBLING.replace("2 *", "7 *")),
        AksWebservice.deploy_configuration(auth_enabled=False),
    )
    service.wait_for_deployment()
    both.set_traffic({"b": 50})
    assert ask_many(both, 10).keys() == {"200 [2]", "200 [3]"}
    assert (ask(service), other.run(body(1)), other.versions["a"].run(body(1))) == ("[7]", [6], [6])
    assert ask(other).startswith("401 ")
    primary, _ = other.get_keys()
    other.regen_key("Primary", "a-key-of-mine")
    assert ask(other, authorization=f"Bearer {primary}").startswith("401 ")
    assert ask(other, authorization="Bearer a-key-of-mine") == "[6]"
    other.update(auth_enabled=False)
    assert ask(other) == "[6]"
    kinds = {name: one.compute_type for name, one in lab.workspace.webservices.items()}
    assert kinds == {both.name: "AKSENDPOINT", other.name: "AKSENDPOINT", service.name: "AKS"}
    assert [one.name for one in Webservice.list(lab.workspace, "aksendpoint")] == [both.name, other.name]
    assert list(lab.workspace.endpoints) == [both.name, other.name]
    assert "a: 50 % of the requests, default, Healthy" in both._repr_html_()
    other.update(token_auth_enabled=True)
    assert ask(other).startswith("401 ")
    assert (other.run(body(1)), other.versions["a"].run(body(1))) == ([6], [6])
    connect().request("DELETE", f"/workspaces/tests/endpoints/{other.name}")
    other.delete()  # also of one that is going, or gone
    with pytest.raises(WebserviceException, match="WebserviceNotFound"):
        Webservice(lab.workspace, other.name)
    assert (ask(service), both.state) == ("[7]", "Healthy")


def test_a_replica_that_is_killed_is_started_again(both: Endpoint) -> None:
    both.set_traffic({"b": 50})
    replicas = processes_in(Home.current().replicas / "tests" / f"{both.name}@b")
    assert replicas
    for process in replicas:
        process.kill()
    wait_until(lambda: ask_many(both, 20).keys() == {"200 [2]", "200 [3]"}, 60, "both versions answer")


def test_an_endpoint_is_gone_with_its_last_version_and_not_before(both: Endpoint, lab: Lab) -> None:
    both.create_version("c", inference_config=lab.script(DOUBLING))
    both.wait_for_deployment()
    both.delete()
    assert both.name not in lab.workspace.endpoints


def test_what_is_wrong_is_said(both: Endpoint, lab: Lab) -> None:
    def refused(change: Callable[[], object], code: str, says: str) -> None:
        with pytest.raises(WebserviceException, match=says) as caught:
            change()
        assert caught.value.code == code

    refused(lambda: both.set_traffic({"a": 70, "b": 40}), "TrafficOver100", "would be 110 in sum")
    refused(lambda: both.set_traffic({"d": 1}), "VersionNotFound", "no version 'd'. It has: a, b")
    refused(lambda: both.delete_version("a"), "VersionDefault", "'a' is the default version")
    refused(lambda: both.delete_version("d"), "VersionNotFound", "no version 'd'")
    refused(lambda: both.update_version("b"), "NothingToUpdate", "Nothing to update")
    refused(both.update, "NothingToUpdate", "Nothing to update")
    refused(
        lambda: both.create_version("b", inference_config=lab.script(DOUBLING)), "VersionExists", "already"
    )
    refused(
        lambda: both.create_version("B!", inference_config=lab.script(DOUBLING)), "InvalidName", "a version"
    )
    refused(
        lambda: both.update_version("b", is_default=False, traffic_percentile=101),
        "TrafficInvalid",
        "0 to 100",
    )
    refused(lambda: both.scale(2), "VersionMissing", r"versions\[NAME\]\.scale")
    refused(
        lambda: Model.deploy(lab.workspace, both.name, [], lab.script(DOUBLING)),
        "ServiceExists",
        "The endpoint .* exists already",
    )
    both.set_traffic({}, default="b")
    both.versions["a"].delete()
    refused(lambda: both.delete_version("b"), "VersionLast", "only version")


def test_the_commands_do_it_all(lab: Lab, tmp_path: Path) -> None:
    script = lab.script(DOUBLING).entry_path
    name, place = next(NAMES), ["--workspace", lab.workspace.name]
    lab.command("create", name, "--version", "old", "--entry", str(script), "--auth", "none", "*")
    script = lab.script(TRIPLING).entry_path
    options = ["--entry", str(script), "--replicas", "2", "--traffic", "10"]
    lab.command("version", "create", name, "new", *options, "*")
    assert json.loads(lab.command("traffic", name, "new=30%", "*")) == {"old": "70 %", "new": "30 %"}
    assert lab.command("score", name, "--version", "new", "--data", body(1), *place).split() == [
        "[",
        "3",
        "]",
    ]
    lab.command("version", "update", name, "new", "--default", "*")
    lab.command("update", name, "--sticky-header", "x-user", "--description", "Customers that leave", "*")

    shown = json.loads(lab.command("show", name, "*"))
    assert (shown["sticky_header"], shown["description"]) == ("x-user", "Customers that leave")
    assert shown["traffic"] == {"old": 0, "new": 100}
    assert [(one["version"], one["role"], one["replicas"]) for one in shown["versions"]] == [
        ("old", "Control", "1 of 1 ready"),
        ("new", "default, Treatment", "2 of 2 ready"),
    ]
    for_people = lab.command("show", name, *place)
    assert "new      100 %" in for_people
    assert json.loads(lab.command("measures", name, "*"))[0]["statuses"] == {"200": 1}
    assert "init of tripling" in lab.command("logs", name, *place)
    assert json.loads(lab.command("list", "*"))[0]["name"] == name
    context = typer.Context(typer.main.get_command(app), info_name="estiva")
    context.params |= {"workspace": lab.workspace.name, "name": name}
    assert completion.endpoints(context, "end") == [name]
    assert completion.shares(context, "n") == ["new="]
    assert lab.command("version", "delete", name, "old", *place) == f"Version old of {name} deleted.\n"
    with pytest.raises(UserErrorException, match="'new' is no share of the traffic"):
        lab.command("traffic", name, "new", *place)
    assert lab.command("delete", name, *place) == f"Endpoint {name} deleted.\n"


def test_a_shadow_gets_copies_and_nobody_sees_its_answers(both: Endpoint, lab: Lab) -> None:
    slow = TRIPLING.replace("return", 'print("a copy of", data)\n    return')
    both.update_version("b", inference_config=lab.script(slow), mirror_percentile=100)
    both.wait_for_deployment()
    shadow = both.versions["b"]
    assert (shadow.traffic_percentile, shadow.mirror_percentile) == (0, 100)
    assert ask_many(both, 20) == {"200 [2]": 20}
    wait_until(lambda: f"a copy of {ONE}" in shadow.get_logs(), 60, "copies in the log of the shadow")
    both.update_version("b", mirror_percentile=0)
    seen = both.get_measures()["b"].requests
    assert ask_many(both, 20) == {"200 [2]": 20}
    assert both.get_measures()["b"].requests == seen
