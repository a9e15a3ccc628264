"""Where everything of the test cluster is: folders, addresses, names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
CACHE = Path(os.environ.get("ESTIVA_CACHE") or Path.home() / ".cache/estiva-ci") / "cluster"
"""What is slow to build."""
RUN = Path("/run/estiva-cluster")
"""What lives as long as the cluster does; short, as socket paths are."""
DATA = CACHE / "data"
"""What a running cluster stores: too much for a folder in memory."""

HUB = "estiva-hub"
"""The network namespace of the control plane, where the nodes' namespaces are joined by a bridge."""
HUB_ADDRESS = "10.201.0.1"
OUTSIDE_ADDRESS = "10.201.0.254"
"""This machine's own address in the cluster's network."""
PREFIX = 24
POD_NETWORK = "10.202.0.0/16"
SERVICE_NETWORK = "10.203.0.0/16"
API = f"https://{HUB_ADDRESS}:6443"
DOMAIN = "cluster.local"
KUBECONFIG = RUN / "admin.kubeconfig"


@dataclass(frozen=True)
class Node:
    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def namespace(self) -> str:
        return f"estiva-{self.name}"

    @property
    def address(self) -> str:
        return f"10.201.0.{10 + self.number}"

    @property
    def pods(self) -> str:
        return f"10.202.{self.number}.0/24"

    @property
    def run(self) -> Path:
        return RUN / self.name

    @property
    def data(self) -> Path:
        return DATA / self.name

    @property
    def containerd(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def cgroup(self) -> str:
        return f"/{self.namespace}"


NODES = (Node(1), Node(2))
