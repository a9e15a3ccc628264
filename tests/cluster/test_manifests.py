"""The manifests of a packaged image, on a real cluster: they are accepted, serve, and change under load."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from estiva import Environment, InferenceConfig, Model, Workspace, engine
from estiva.sdk.kubernetes import KubernetesWebserviceDeploymentConfiguration as Configuration
from estiva.sdk.manifests import service_manifests
from tests.cluster import control_plane, images, processes
from tests.cluster.test_cluster import run
from tests.e2e.conftest import wait_until

BASE = os.environ.get("ESTIVA_TEST_BASE_IMAGE", "")
IMAGE = "estiva-test-doubling:1"
NAMESPACE = "team"
SCRIPT = """
import json, os

def init(): ...

def run(data):
    return [os.environ["FACTOR"], *(2 * number for number in json.loads(data))]
"""
RESTRICTED = f"""
apiVersion: v1
kind: Namespace
metadata:
  name: {NAMESPACE}
  labels: {{pod-security.kubernetes.io/enforce: restricted}}
"""

pytestmark = [
    pytest.mark.skipif(
        processes.running("kube-apiserver") is None, reason="the test cluster is not up: scripts/cluster up"
    ),
    pytest.mark.skipif(not BASE, reason="no container engine with a base image: scripts/_engine up"),
    pytest.mark.xdist_group("cluster"),
]


@pytest.fixture
def image(workspace: Workspace, tmp_path: Path) -> Iterator[str]:
    """A packaged image, on every node."""
    (tmp_path / "score.py").write_text(SCRIPT)
    environment = Environment("plain")
    environment.python.conda_dependencies.set_python_version("3.11")
    environment.docker.base_image = BASE
    inference = InferenceConfig(entry_script=str(tmp_path / "score.py"), environment=environment)
    name, label = IMAGE.split(":")
    package = Model.package(workspace, [], inference, image_name=name, image_label=label)
    package.wait_for_creation()
    images.load(IMAGE)
    yield f"docker.io/library/{IMAGE}"
    engine.connect().images.remove(IMAGE, force=True)


@pytest.fixture
def namespace() -> Iterator[str]:
    run("apply", "-f", "-", stdin=RESTRICTED)
    yield NAMESPACE
    run("delete", "namespace", NAMESPACE, "--ignore-not-found")


def apply(image: str, namespace: str, factor: str) -> None:
    """A change of a variable replaces every pod."""
    config = Configuration(
        num_replicas=2,
        namespace=namespace,
        scoring_timeout_ms=5_000,
        environment_variables={"FACTOR": factor},
    )
    run("apply", "-f", "-", stdin=service_manifests("doubling", image, config))
    run("rollout", "status", "deployment/doubling", f"--namespace={namespace}", "--timeout=50s")


class Caller(threading.Thread):
    """Asks the service again and again, each time anew, until it is told to end."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.answers: Counter[str] = Counter()
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            self.answers[ask(self.url)] += 1


def ask(url: str) -> str:
    try:
        return httpx.post(url, content="[1]", timeout=10).text
    except httpx.HTTPError as error:
        return repr(error)


def test_a_packaged_image_serves_in_a_restricted_namespace_and_rolls_without_a_lost_request(
    image: str, namespace: str
) -> None:
    apply(image, namespace, "one")
    address = run(
        "get", "service", "doubling", f"--namespace={namespace}", "-o", "jsonpath={.spec.clusterIP}"
    )
    caller = Caller(f"http://{address}/score")
    caller.start()
    try:
        apply(image, namespace, "two")
    finally:
        caller.ended.set()
        caller.join()
    wait_until(lambda: ask(caller.url) == '["two", 2]', 30, "no address leads to a pod that goes any more")
    assert set(caller.answers) == {'["one", 2]', '["two", 2]'}


def test_the_server_accepts_every_field(namespace: str) -> None:
    config = Configuration(
        autoscale_enabled=True,
        namespace=namespace,
        cpu_cores=0.1,
        memory_gb_limit=1,
        gpu_cores=1,
        period_seconds=10,
        success_threshold=2,
        environment_variables={"A": "b"},
        tags={"area": "diabetes"},
    )
    text = service_manifests("whole", "registry.example.org/x:1", config, secrets=["s"], pull_secrets=["p"])
    done = control_plane.kubectl("apply", "--dry-run=server", "--validate=strict", "-f", "-", stdin=text)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    assert len(done.stdout.splitlines()) == text.count("\n---\n")
