"""A node: containerd, kubelet and kube-proxy, with a network namespace, folders and a cgroup of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.cluster import accounts, processes
from tests.cluster.control_plane import kubectl
from tests.cluster.images import PAUSE, load_pause
from tests.cluster.layout import DOMAIN, HUB_ADDRESS, NODES, POD_NETWORK, Node
from tests.cluster.programs import CNI_PLUGINS, build, which

_UP_SECONDS = 60.0
_CGROUPS = Path("/sys/fs/cgroup")
_CPUSET = ("cpuset.cpus", "cpuset.mems")


def up() -> None:
    for node in NODES:
        _start_containerd(node)
        load_pause(node)
        _start_kubelet(node)
        _start_proxy(node)
    for node in NODES:
        processes.wait(
            f"{node.name} is ready",
            lambda: _ready(node),  # noqa: B023  called before the loop goes on
            seconds=_UP_SECONDS,
            log_of=f"{node.name}-kubelet",
        )


def down() -> None:
    for node in NODES:
        for program in ("proxy", "kubelet"):
            processes.stop(f"{node.name}-{program}")
        for pid in _contained(node):
            processes.kill(pid)
        processes.stop(f"{node.name}-containerd")
        _end_shims(node)
        _remove_cgroups(node)


def _ready(node: Node) -> bool:
    condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
    return kubectl("get", "node", node.name, "-o", condition).stdout == "True"


# --- containerd ------------------------------------------------------------------------------------------


def _start_containerd(node: Node) -> None:
    folder = node.run
    folder.mkdir(parents=True, exist_ok=True)
    node.data.mkdir(parents=True, exist_ok=True)
    _write_network(node)
    configuration = folder / "containerd.toml"
    configuration.write_text(_containerd_configuration(node))
    command = [which("containerd") or "containerd", "--config", str(configuration)]
    processes.start(f"{node.name}-containerd", command, namespace=node.namespace)
    processes.wait(
        "containerd answers",
        node.containerd.is_socket,
        seconds=_UP_SECONDS,
        log_of=f"{node.name}-containerd",
    )


def _containerd_configuration(node: Node) -> str:
    # Without restrict_oom_score_adj a sandbox cannot start where this machine is a container's guest itself.
    return f"""version = 2
root = "{node.data}/containerd"
state = "{node.run}/containerd"
[grpc]
address = "{node.containerd}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{CNI_PLUGINS}"
conf_dir = "{node.run}/cni"
"""


def _write_network(node: Node) -> None:
    """Pods are joined to the node one by one, not by a bridge: answers to a service's address then pass
    kube-proxy's rules without br_netfilter, which this kernel may lack."""
    folder = node.run / "cni"
    folder.mkdir(exist_ok=True)
    plugins = [
        {
            "type": "ptp",
            "ipam": {
                "type": "host-local",
                "subnet": node.pods,
                "routes": [{"dst": "0.0.0.0/0"}],
                "dataDir": f"{node.run}/addresses",
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    network = {"cniVersion": "0.4.0", "name": node.namespace, "plugins": plugins}
    (folder / "10-pods.conflist").write_text(json.dumps(network))


# --- kubelet and kube-proxy ------------------------------------------------------------------------------


def _start_kubelet(node: Node) -> None:
    _make_cgroups(node)
    resolve = node.run / "resolv.conf"
    resolve.write_text("")
    configuration = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": node.address,
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": node.cgroup,
        "clusterDNS": [HUB_ADDRESS],
        "clusterDomain": DOMAIN,
        "containerRuntimeEndpoint": f"unix://{node.containerd}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "podLogsDir": f"{node.data}/logs",
        "resolvConf": str(resolve),
        # This machine's disk is not the cluster's matter, and an image that was loaded must stay.
        "evictionHard": {"memory.available": "50Mi"},
        "imageGCHighThresholdPercent": 100,
        "registerNode": True,
    }
    flags = [f"--hostname-override={node.name}", f"--node-ip={node.address}"]
    flags += [f"--root-dir={node.data}/kubelet", f"--cert-dir={node.run}/pki"]
    flags += [f"--kubeconfig={accounts.kubeconfig(f'system:node:{node.name}')}"]
    _start(node, "kubelet", configuration, *flags)


def _start_proxy(node: Node) -> None:
    configuration = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "bindAddress": node.address,
        "clientConnection": {"kubeconfig": str(accounts.kubeconfig("system:kube-proxy"))},
        "clusterCIDR": POD_NETWORK,
        "conntrack": {"maxPerCore": 0, "min": 0},
        "healthzBindAddress": "127.0.0.1:10256",
        "hostnameOverride": node.name,
        "metricsBindAddress": "127.0.0.1:10249",
        "mode": "iptables",
    }
    _start(node, "proxy", configuration)


def _start(node: Node, program: str, configuration: Mapping[str, object], *flags: str) -> None:
    path = node.run / f"{program}.json"
    path.write_text(json.dumps(configuration, indent=2))
    name = "kube-proxy" if program == "proxy" else program
    command = [str(build("kubernetes")), name, f"--config={path}", *flags]
    processes.start(f"{node.name}-{program}", command, namespace=node.namespace)


# --- cgroups ---------------------------------------------------------------------------------------------


def _make_cgroups(node: Node) -> None:
    """Two kubelets on one machine each need a tree of their own."""
    for hierarchy in _hierarchies():
        folder = hierarchy / node.cgroup.lstrip("/")
        folder.mkdir(exist_ok=True)
        for name in _CPUSET:
            if (folder / name).exists() and not (folder / name).read_text().strip():
                (folder / name).write_text((hierarchy / name).read_text())


def _hierarchies() -> list[Path]:
    """cgroup v1 has one for each controller, v2 a single one."""
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    return [path for path in _CGROUPS.iterdir() if (path / "cgroup.procs").exists()]


def _contained(node: Node) -> Iterator[int]:
    """What runs in the node's pods."""
    for hierarchy in _hierarchies():
        for path in hierarchy.glob(f"{node.cgroup.lstrip('/')}/**/cgroup.procs"):
            yield from (int(pid) for pid in path.read_text().split())


def _end_shims(node: Node) -> None:
    """containerd leaves them running on purpose; each names its containerd's socket."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and f"\0{node.containerd}\0".encode() in _command(folder):
            processes.end(int(folder.name))


def _command(folder: Path) -> bytes:
    try:
        return (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _remove_cgroups(node: Node) -> None:
    for hierarchy in _hierarchies():
        for path, _, _ in os.walk(hierarchy / node.cgroup.lstrip("/"), topdown=False):
            Path(path).rmdir()


def unmount(folder: Path) -> None:
    """Unmounts whatever is mounted below the folder, and removes it."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in sorted((p for p in points if p.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=True)
    if folder.exists():
        shutil.rmtree(folder)
