"""Inference configuration: entry script + source directory + environment."""

from __future__ import annotations

import ast
import keyword
import warnings
from pathlib import Path
from typing import Any

from estiva.errors import UserErrorException, WebserviceException
from estiva.sdk.environment import CondaDependencies, Environment

_RUNTIMES = ("spark-py", "python", "python-slim")
_CUDA_VERSIONS = ("9.0", "9.1", "10.0")
_LEGACY = ("runtime", "conda_file", "extra_docker_file_steps", "enable_gpu", "cuda_version", "base_image")


class InferenceConfig:
    """What serves a model: checked whole when it is made, so that mistakes show before a deployment.

    `entry_script` is relative to `source_directory` if that is given, else to the current folder. Without a
    source directory only the entry script is shipped; with one, the whole folder. Without an environment
    the packages that run now are used, with a notice.

    Raises WebserviceException or UserErrorException, with what to change.
    """

    def __init__(
        self,
        entry_script: str,
        runtime: str | None = None,
        conda_file: str | None = None,
        extra_docker_file_steps: str | None = None,
        source_directory: str | None = None,
        enable_gpu: bool | None = None,
        description: str | None = None,
        base_image: str | None = None,
        base_image_registry: Any = None,
        cuda_version: str | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.entry_script = entry_script
        self.runtime = runtime
        self.conda_file = conda_file
        self.extra_docker_file_steps = extra_docker_file_steps
        self.source_directory = source_directory
        self.enable_gpu = enable_gpu
        self.description = description
        self.base_image = base_image
        self.base_image_registry = base_image_registry
        self.cuda_version = cuda_version
        self.environment = environment
        self.validate_configuration()
        if conda_file is not None:
            self.environment = self._environment_of(conda_file)

    def validate_configuration(self) -> None:
        """The checks of SDK v1 in its order, so that the same mistake is the one that is told."""
        used = [name for name in _LEGACY if getattr(self, name) is not None]
        if used:
            warnings.warn(
                f"{', '.join(used)}: deprecated, use an Environment instead.",
                DeprecationWarning,
                stacklevel=3,
            )
        if not self.entry_script:
            raise WebserviceException(
                "entry_script is empty: give the path of the score script.", code="EntryScriptMissing"
            )
        if used and self.environment is not None:
            raise WebserviceException(
                f"environment cannot be combined with {', '.join(used)}: put these into the environment.",
                code="EnvironmentMixed",
            )
        self._check_source_directory()
        check_name(self.entry_path, self.entry_script)
        self._check_legacy()
        check_syntax(self.entry_path)

    @property
    def entry_path(self) -> Path:
        """Where the entry script is now; a relative one is looked up from the current folder."""
        return Path(self.source_directory or "") / self.entry_script

    def _check_legacy(self) -> None:
        for name, known in (("runtime", _RUNTIMES), ("cuda_version", _CUDA_VERSIONS)):
            value = getattr(self, name)
            if value is not None and value not in known:
                raise WebserviceException(
                    f"{name} {value!r} is not one of {', '.join(known)}.", code="RuntimeInvalid"
                )
        for name in ("conda_file", "extra_docker_file_steps"):
            file = getattr(self, name)
            if file is not None and not Path(file).is_file():
                raise WebserviceException(
                    f"{name} {file!r} was not found at {Path(file).absolute()}. "
                    "A relative path is looked up from the current folder.",
                    code="FileNotFound",
                )

    def _check_source_directory(self) -> None:
        if self.source_directory is None:
            return
        folder = Path(self.source_directory).resolve()
        if not folder.is_dir():
            raise WebserviceException(
                f"source_directory {folder} does not exist (or is no folder). "
                "A relative path is looked up from the current folder.",
                code="SourceDirectoryNotFound",
            )
        self.source_directory = str(folder)
        if not (folder / self.entry_script).resolve().is_relative_to(folder):
            raise WebserviceException(
                f"entry_script {self.entry_script!r} leads out of the source directory {folder}. "
                "Give its path relative to that folder.",
                code="EntryScriptOutside",
            )

    def _environment_of(self, conda_file: str) -> Environment:
        environment = Environment("legacy-env")
        environment.python.conda_dependencies = CondaDependencies(conda_file)
        return environment

    def __repr__(self) -> str:
        name = self.environment.name if self.environment else None
        return (
            f"InferenceConfig(entry_script={self.entry_script!r}, "
            f"source_directory={self.source_directory!r}, environment={name!r})"
        )


def check_name(path: Path, given: str) -> None:
    """The entry script exists and is named like a module."""
    if not path.is_file():
        raise WebserviceException(
            f"The entry script {given!r} was not found at {path.absolute()}. Without a source directory "
            "its path is relative to the current folder; with one, to that folder.",
            code="EntryScriptNotFound",
        )
    if path.suffix != ".py":
        raise WebserviceException(
            f"The entry script {given!r} is not a Python file: its name must end in .py.",
            code="EntryScriptName",
        )
    if not path.stem.isidentifier() or keyword.iskeyword(path.stem):
        raise WebserviceException(
            f"The entry script {given!r} cannot be imported: its name must be letters, digits and "
            f"underscores, not start with a digit, and be no Python keyword. Rename it, for example to "
            f"{_importable(path.stem)}.py.",
            code="EntryScriptName",
        )


def _importable(stem: str) -> str:
    name = "".join(c if c.isalnum() or c == "_" else "_" for c in stem)
    return f"score_{name}" if not name.isidentifier() or keyword.iskeyword(name) else name


def check_syntax(path: Path) -> None:
    """The entry script is Python; what Python merely warns of is told when it runs."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        place = f", line {error.lineno}, column {error.offset}" if error.lineno else ""
        quoted = f"\n    {error.text.rstrip()}" if error.text else ""
        raise UserErrorException(f"{path}{place}: {error.msg}.{quoted}", code="ScriptSyntax") from error
    except ValueError as error:
        raise UserErrorException(f"{path} is not Python text: {error}.", code="ScriptSyntax") from error
    except OSError as error:
        raise UserErrorException(
            f"{path} cannot be read: {error.strerror}.", code="ScriptUnreadable"
        ) from error
