"""The test cluster is a real one: two nodes that run pods, join them, name them, and say what is short."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import pytest

from tests.cluster import control_plane, processes
from tests.cluster.images import PAUSE
from tests.cluster.layout import HUB_ADDRESS, NODES

pytestmark = [
    pytest.mark.skipif(
        processes.running("kube-apiserver") is None,
        reason="the test cluster is not up: scripts/cluster up",
    ),
    pytest.mark.xdist_group("cluster"),
]


def run(*arguments: str, stdin: str | None = None) -> str:
    done = control_plane.kubectl(*arguments, stdin=stdin)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pod(name: str, **spec: Any) -> str:
    container = {"name": "main", "image": PAUSE, "imagePullPolicy": "Never", **spec.pop("container", {})}
    spec = {"terminationGracePeriodSeconds": 0, "containers": [container], **spec}
    metadata = {"name": name, "labels": {"pod": name}}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def test_both_nodes_run_pods_that_have_addresses_of_the_node() -> None:
    try:
        for node in NODES:
            run("apply", "-f", "-", stdin=pod(f"on-{node.name}", nodeName=node.name))
        for node in NODES:
            run("wait", f"pod/on-{node.name}", "--for=condition=Ready", "--timeout=50s")
            address = run("get", "pod", f"on-{node.name}", "-o", "jsonpath={.status.podIP}")
            assert address.rsplit(".", 1)[0] == node.pods.rsplit(".", 1)[0]
    finally:
        run("delete", "pod", *(f"on-{node.name}" for node in NODES), "--ignore-not-found")


def test_a_name_of_a_service_resolves() -> None:
    address = run("get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}")
    assert resolve("kubernetes.default.svc.cluster.local") == address


def resolve(name: str) -> str:
    """The one address that the cluster's DNS has for the name (RFC 1035: a query of type A, class IN)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    query = struct.pack(">6H", 1, 0x0100, 1, 0, 0, 0) + labels + struct.pack(">xHH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.sendto(query, (HUB_ADDRESS, 53))
        answer = asking.recv(512)
    assert struct.unpack_from(">H", answer, 6) == (1,), "one answer"
    return socket.inet_ntoa(answer[-4:])


def test_a_pod_that_asks_for_a_gpu_is_not_scheduled_and_the_scheduler_says_why() -> None:
    wish = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    try:
        run("apply", "-f", "-", stdin=pod("gpu", container=wish))
        run("wait", "pod/gpu", "--for=condition=PodScheduled=False", "--timeout=50s")
        condition = 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}'
        assert "0/2 nodes are available: 2 Insufficient nvidia.com/gpu" in run(
            "get", "pod", "gpu", "-o", condition
        )
    finally:
        run("delete", "pod", "gpu", "--ignore-not-found")
