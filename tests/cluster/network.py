"""The cluster's network: a namespace for the control plane and one for each node, joined by a bridge.

Nothing of the cluster listens in this machine's own network; a veth pair and routes let tests reach pods,
services and nodes.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.cluster.layout import (
    HUB,
    HUB_ADDRESS,
    NODES,
    OUTSIDE_ADDRESS,
    PREFIX,
    SERVICE_NETWORK,
    Node,
)

_BRIDGE = "nodes"
_OUTSIDE = "estiva-k8s"


def up() -> None:
    _add_namespace(HUB)
    _in(HUB, "ip link add", _BRIDGE, "type bridge")
    _in(HUB, f"ip address add {HUB_ADDRESS}/{PREFIX} dev {_BRIDGE}")
    _in(HUB, "ip link set", _BRIDGE, "up")
    _plug(_OUTSIDE, None)
    _run(f"ip address add {OUTSIDE_ADDRESS}/{PREFIX} dev {_OUTSIDE}")
    _run(f"ip link set {_OUTSIDE} up")
    for node in NODES:
        _add_node(node)
    for node in NODES:
        _route(node)
    # Services have no place; any node forwards to them.
    _run(f"ip route add {SERVICE_NETWORK} via {NODES[0].address}")


def down() -> None:
    """Absence is success. What is in a namespace goes with it."""
    subprocess.run(["ip", "link", "delete", _OUTSIDE], capture_output=True, check=False)
    for name in (HUB, *(node.namespace for node in NODES)):
        if Path(f"/run/netns/{name}").exists():
            _run(f"ip netns delete {name}")


def _add_node(node: Node) -> None:
    _add_namespace(node.namespace)
    _plug("uplink", node)
    _in(node.namespace, f"ip address add {node.address}/{PREFIX} dev uplink")
    _in(node.namespace, "ip link set uplink up")
    _in(node.namespace, f"ip route add default via {HUB_ADDRESS}")


def _route(node: Node) -> None:
    """The way to the node's pods, from everywhere else."""
    _run(f"ip route add {node.pods} via {node.address}")
    _in(HUB, f"ip route add {node.pods} via {node.address}")
    for other in NODES:
        if other is not node:
            _in(other.namespace, f"ip route add {node.pods} via {node.address}")


def _plug(name: str, node: Node | None) -> None:
    """A cable from the bridge to the interface `name` in the node's namespace, or in this machine's own."""
    port = node.name if node else "outside"
    place = f"netns {node.namespace}" if node else ""
    _run(f"ip link add {name} {place} type veth peer name {port} netns {HUB}")
    _in(HUB, f"ip link set {port} master {_BRIDGE} up")


def _add_namespace(name: str) -> None:
    _run(f"ip netns add {name}")
    _in(name, "ip link set lo up")
    _in(name, "sysctl -q -w net.ipv4.ip_forward=1")


def _in(namespace: str, *words: str) -> None:
    _run(f"ip netns exec {namespace}", *words)


def _run(*words: str) -> None:
    subprocess.run(" ".join(words).split(), check=True)
