"""From a folder with a Dockerfile to the build context that an environment keeps."""

from __future__ import annotations

from pathlib import Path

from docker.utils.build import exclude_paths

from estiva.errors import UserErrorException
from estiva.records import BuildContext
from estiva.registry.blobs import Blobs
from estiva.registry.trees import ingest

_IGNORE_FILE = ".dockerignore"


def take(blobs: Blobs, folder: Path, dockerfile: str) -> BuildContext:
    """The folder as it is now, less what its .dockerignore names. Raises as `ingest` does.

    UserErrorException with code "DockerfileNotFound" if it has no such Dockerfile.
    """
    if not (folder / dockerfile).is_file():
        raise UserErrorException(
            f"There is no {dockerfile} in {folder}. Name the Dockerfile, by its path in the folder: "
            "dockerfile_path.",
            code="DockerfileNotFound",
        )
    taken = exclude_paths(str(folder), _patterns(folder / _IGNORE_FILE), dockerfile=dockerfile)
    paths = [Path(path) for path in sorted(taken) if (folder / path).is_file() and path != _IGNORE_FILE]
    tree = ingest(blobs, folder, child_paths=paths, keep_root=False)
    return BuildContext(tree=tree, dockerfile=Path(dockerfile).as_posix())


def _patterns(file: Path) -> list[str]:
    if not file.is_file():
        return []
    lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]
