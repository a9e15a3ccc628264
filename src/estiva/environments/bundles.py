"""Everything that an environment is made from, in one file: for machines without a network.

A bundle is a tar: `manifest.json`, the packages as wheels below `wheels/`, what the scoring server needs
below `server/`, and conda packages below `conda/`. What had to be built is there as the wheel made of it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
from packaging.utils import parse_wheel_filename
from pydantic import Field, ValidationError

from estiva.environments import programs, server, uv
from estiva.environments.explanations import explain
from estiva.environments.folders import make_once, translated
from estiva.environments.locks import masked
from estiva.environments.uv import without_foreign
from estiva.errors import EnvironmentException
from estiva.records import CondaPackage, EnvironmentSpecification, Lock, Record

_MANIFEST = "manifest.json"
_PARTS = ("wheels", "server", "conda")
_SECONDS = 60.0
_CHUNK = 1 << 20


class BundledFile(Record):
    path: str
    """ "wheels/six-1.16.0-py2.py3-none-any.whl"."""
    sha256: str


class Manifest(Record):
    format: int = Field(default=1, le=1)
    specification: EnvironmentSpecification
    lock: Lock
    files: tuple[BundledFile, ...]


# --- export ----------------------------------------------------------------------------------------------


def export(
    specification: EnvironmentSpecification,
    lock: Lock,
    python: str,
    target: Path,
    *,
    on_line: programs.OnLine,
    cancelled: programs.Cancelled,
) -> Manifest:
    """Writes the bundle to `target`, whole or not at all; `python`: the interpreter of the built environment.

    Credentials are left out of it. EnvironmentException with the codes of explanations.py.
    """
    with translated(target), tempfile.TemporaryDirectory(prefix="estiva-bundle-") as temporary:
        folder = Path(temporary)
        for part in _PARTS:
            (folder / part).mkdir()
        collector = _Collector(python, folder, on_line, cancelled)
        if lock.requirements:
            collector.wheels("wheels", lock.requirements, ["--no-deps"])
        collector.wheels("server", "".join(f"{each}\n" for each in server.dependencies()), [])
        for package in lock.conda:
            collector.conda_package(package)
        manifest = Manifest(
            specification=_without_credentials(specification), lock=masked(lock), files=tuple(_files(folder))
        )
        (folder / _MANIFEST).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        _pack(folder, manifest, target)
    return manifest


class _Collector:
    """Fills the parts of one bundle."""

    def __init__(
        self, python: str, folder: Path, on_line: programs.OnLine, cancelled: programs.Cancelled
    ) -> None:
        self.python, self.folder, self.on_line, self.cancelled = python, folder, on_line, cancelled

    def wheels(self, part: str, requirements: str, options: list[str]) -> None:
        """Has pip fetch the wheels, or build those that there are none of: uv only installs."""
        pip = self._pip()
        asked = self.folder.with_name(f"{self.folder.name}.txt")
        asked.write_text(requirements, encoding="utf-8")
        self.on_line(f"Collecting {part}.")
        command = [self.python, "-m", "pip", "wheel", "--no-input", "--disable-pip-version-check", *options]
        try:
            outcome = programs.run(
                [*command, "--wheel-dir", str(self.folder / part), "--requirement", str(asked)],
                environ={**without_foreign(os.environ), "PYTHONPATH": str(pip)},
                on_line=self.on_line,
                cancelled=self.cancelled,
            )
        finally:
            asked.unlink()
            shutil.rmtree(pip)
        if outcome.failed:
            raise explain(outcome.stderr)

    def _pip(self) -> Path:
        """A folder with a pip for the environment's interpreter, which need not have one."""
        folder = self.folder.with_name(f"{self.folder.name}-pip")
        wanted = ["--target", str(folder), "--python", self.python, "pip", "setuptools", "wheel"]
        outcome = uv.run(["pip", "install", *wanted], on_line=self.on_line, cancelled=self.cancelled)
        if outcome.failed:
            raise explain(outcome.stderr)
        return folder

    def conda_package(self, package: CondaPackage) -> None:
        parts = urlsplit(package.url)
        path = self.folder / "conda" / parts.path.rsplit("/", 1)[1]
        self.on_line(f"Collecting {package.name} {package.version}.")
        if parts.scheme == "file":
            shutil.copyfile(unquote(parts.path), path)
        else:
            self._download(package.url, path)
        if _sha256(path) != package.sha256:
            raise _damaged(path.name)

    def _download(self, url: str, path: Path) -> None:
        try:
            with httpx.stream("GET", url, timeout=_SECONDS, follow_redirects=True) as answer:
                answer.raise_for_status()
                with path.open("wb") as file:
                    for chunk in answer.iter_bytes(_CHUNK):
                        programs.raise_if(self.cancelled)
                        file.write(chunk)
        except httpx.HTTPError as error:
            raise EnvironmentException(
                f"{programs.mask(url)} cannot be downloaded: {programs.mask(str(error))}. Check the network "
                "and the channel.",
                code="ChannelUnreachable",
            ) from error


def _without_credentials(specification: EnvironmentSpecification) -> EnvironmentSpecification:
    return specification.model_copy(
        update={
            name: tuple(programs.mask(text) for text in getattr(specification, name))
            for name in ("pip_packages", "pip_options", "channels")
        }
    )


def _files(folder: Path) -> Iterator[BundledFile]:
    for part in _PARTS:
        for path in sorted((folder / part).iterdir()):
            yield BundledFile(path=f"{part}/{path.name}", sha256=_sha256(path))


def _pack(folder: Path, manifest: Manifest, target: Path) -> None:
    """The same content gives the same bytes; packages are compressed already."""
    beside = target.with_name(f".{target.name}.part")
    try:
        with tarfile.open(beside, "w") as archive:
            for name in (_MANIFEST, *(file.path for file in manifest.files)):
                entry = tarfile.TarInfo(name)
                entry.size = (folder / name).stat().st_size
                with (folder / name).open("rb") as content:
                    archive.addfile(entry, content)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


# --- import ----------------------------------------------------------------------------------------------


def unpack(
    bundle: Path, *, root: Path, on_line: programs.OnLine, cancelled: programs.Cancelled
) -> tuple[EnvironmentSpecification, Lock]:
    """The environment in the bundle, and its lock on what is unpacked below `root`. Idempotent.

    EnvironmentException "BundleInvalid", or "HashMismatch" for a file that was changed on the way.
    """
    try:
        with tarfile.open(bundle, "r:") as archive:
            manifest = _manifest(archive, bundle)
            digest = hashlib.sha256(manifest.model_dump_json().encode()).hexdigest()
            folder = root / server.BUNDLES / digest

            def make() -> None:
                on_line(f"Unpacking {bundle.name}.")
                _extract(archive, manifest, folder, cancelled)

            make_once(folder, digest, make, on_line=on_line, cancelled=cancelled)
    except (tarfile.TarError, KeyError) as error:  # KeyError: a file that the manifest names is missing
        raise _invalid(bundle, str(error)) from error
    return manifest.specification, _local_lock(manifest, folder)


def _manifest(archive: tarfile.TarFile, bundle: Path) -> Manifest:
    content = archive.extractfile(_MANIFEST)
    try:
        manifest = Manifest.model_validate_json(content.read() if content else b"")
    except ValidationError as error:
        raise _invalid(bundle, f"its manifest says {error.errors()[0]['msg']}") from error
    for file in manifest.files:
        part, _, name = file.path.partition("/")
        if part not in _PARTS or not name or "/" in name or name in (".", ".."):
            raise _invalid(bundle, f"it names {file.path}")
    return manifest


def _extract(
    archive: tarfile.TarFile, manifest: Manifest, folder: Path, cancelled: programs.Cancelled
) -> None:
    for part in _PARTS:
        (folder / part).mkdir(parents=True)
    for file in manifest.files:
        programs.raise_if(cancelled)
        content = archive.extractfile(file.path)
        if content is None:
            raise _damaged(file.path)
        with (folder / file.path).open("wb") as target:
            shutil.copyfileobj(content, target)
        if _sha256(folder / file.path) != file.sha256:
            raise _damaged(file.path)


def _local_lock(manifest: Manifest, folder: Path) -> Lock:
    wheels = [file for file in manifest.files if file.path.startswith("wheels/")]
    lines = ["--no-index", f"--find-links {folder / 'wheels'}", *map(_pinned, wheels), ""]
    conda = tuple(
        package.model_copy(update={"url": (folder / "conda" / package.url.rsplit("/", 1)[1]).as_uri()})
        for package in manifest.lock.conda
    )
    return manifest.lock.model_copy(
        update={"requirements": "\n".join(lines) if wheels else "", "conda": conda}
    )


def _pinned(file: BundledFile) -> str:
    name, version, _, _ = parse_wheel_filename(file.path.partition("/")[2])
    return f"{name}=={version} \\\n    --hash=sha256:{file.sha256}"


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _damaged(name: str) -> EnvironmentException:
    return EnvironmentException(
        f"{name} is not the file that it should be: its hash differs. It was changed or damaged on the way; "
        "export the bundle again.",
        code="HashMismatch",
    )


def _invalid(bundle: Path, why: str) -> EnvironmentException:
    return EnvironmentException(
        f"{bundle} is no bundle of an environment: {why}. `estiva env export NAME --bundle FILE` writes one.",
        code="BundleInvalid",
    )
