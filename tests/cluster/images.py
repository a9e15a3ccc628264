"""Images on the nodes: the pause image, made here, and those that are loaded from a Docker engine."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import IO

from tests.cluster.layout import NODES, Node
from tests.cluster.programs import build, which

PAUSE = "estiva.test/pause:1"
_LOAD_SECONDS = 300


def load(image: str) -> None:
    """Copies an image of the local Docker engine to every node."""
    for node in NODES:
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            _import(node, stdin=saved.stdout)
        if saved.returncode != 0:
            raise subprocess.CalledProcessError(saved.returncode, saved.args)


def load_pause(node: Node) -> None:
    path = node.run / "pause.tar"
    path.write_bytes(_archive(PAUSE, build("pause")))
    with path.open("rb") as archive:
        _import(node, stdin=archive)


def _import(node: Node, *, stdin: IO[bytes] | None) -> None:
    command = [which("ctr") or "ctr", f"--address={node.containerd}", "--namespace=k8s.io"]
    command += ["images", "import", "-"]
    subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, check=True, timeout=_LOAD_SECONDS)


def _archive(image: str, program: Path) -> bytes:
    """The image in the format of `docker save`: one layer with one program, which is what the image runs."""
    layer = _tar({"pause": program.read_bytes()})
    configuration = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = [{"Config": "config.json", "RepoTags": [image], "Layers": ["layer.tar"]}]
    return _tar(
        {
            "config.json": json.dumps(configuration).encode(),
            "layer.tar": layer,
            "manifest.json": json.dumps(manifest).encode(),
        }
    )


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
