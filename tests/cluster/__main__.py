"""`scripts/cluster up | down | load IMAGE... | status | env | kubectl ...`."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import control_plane, network, nodes, processes
from tests.cluster.images import load
from tests.cluster.layout import CACHE, DATA, KUBECONFIG, RUN
from tests.cluster.programs import build, missing

_USAGE = "scripts/cluster up | down | load IMAGE... | status | env | kubectl ARGUMENTS..."


def up() -> None:
    """Idempotent: starts what does not run."""
    lacking = missing()
    if lacking:
        raise processes.ClusterError(f"A Kubernetes cluster needs {', '.join(lacking)}.")
    for name in ("kubernetes", "coredns", "pause"):
        build(name)
    if processes.running("kube-apiserver") is None:
        down()
        RUN.mkdir(mode=0o700)
        network.up()
    control_plane.up()
    nodes.up()
    status()


def down() -> None:
    """Ends everything, in whatever state it is, and removes what it stored. Absence is success."""
    nodes.down()
    control_plane.down()
    network.down()
    for folder in (RUN, DATA):
        nodes.unmount(folder)


def status() -> None:
    if processes.running("kube-apiserver") is None:
        raise processes.ClusterError("The cluster is not up.")
    print(control_plane.kubectl("get", "nodes", "--output=wide").stdout, end="")
    print(f"KUBECONFIG={KUBECONFIG}")


def show_env() -> None:
    """What tests read, for `eval`; nothing if the cluster is not up."""
    if processes.running("kube-apiserver") is not None:
        print(f"export KUBECONFIG={KUBECONFIG}")


def kubectl(arguments: list[str]) -> int:
    done = control_plane.kubectl(*arguments)
    print(done.stdout, end="")
    print(done.stderr, end="", file=sys.stderr)
    return done.returncode


@contextmanager
def one_at_a_time() -> Iterator[None]:
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main(arguments: list[str]) -> int:
    commands = {"up": up, "down": down, "status": status, "env": show_env}
    match arguments:
        case [name] if name in commands:
            with one_at_a_time():
                commands[name]()
        case ["load", *images] if images:
            for image in images:
                load(image)
        case ["kubectl", *rest] if rest:
            return kubectl(rest)
        case _:
            print(_USAGE, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (processes.ClusterError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
