"""Builds the cluster's programs from their Go modules, once, and says what of the machine's is missing."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from tests.cluster.layout import CACHE, SOURCES

VERSION = "1.36.3"
_BUILD_SECONDS = 7200
_FROM_DEBIAN = {
    "etcd": "etcd-server",
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "openssl": "openssl",
    "sysctl": "procps",
}
CNI_PLUGINS = Path("/usr/lib/cni")


def missing() -> list[str]:
    """What keeps a cluster from starting here, a phrase each."""
    found = [f"{program} (package {name})" for program, name in _FROM_DEBIAN.items() if not which(program)]
    if not CNI_PLUGINS.is_dir():
        found.append("CNI plugins (package containernetworking-plugins)")
    if not which("go") and not all(_built(name).exists() for name in ("kubernetes", "coredns", "pause")):
        found.append("go, version 1.26 or newer")
    if os.geteuid() != 0:
        found.append("root")
    return found


def which(program: str) -> str | None:
    """Where the program is; daemons are not on every PATH."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def build(name: str) -> Path:
    """The program of the Go module in the folder beside this file; built when its sources changed."""
    program = _built(name)
    if not program.exists():
        print(f"Building {name}: the first time this takes minutes.", flush=True)
        part = program.with_suffix(".part")
        flags = f"-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}"
        command = ["go", "build", "-mod=readonly", "-trimpath", "-ldflags", flags, "-o", str(part), "."]
        program.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, cwd=SOURCES / name, check=True, timeout=_BUILD_SECONDS)
        part.rename(program)
    return program


def _built(name: str) -> Path:
    digest = hashlib.sha256()
    for path in sorted((SOURCES / name).iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return CACHE / "bin" / f"{name}-{digest.hexdigest()[:16]}"
