"""CondaDependencies: a conda specification as an object that keeps the comments of its file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from ruamel.yaml import YAML

from estiva import specification
from estiva.errors import UserErrorException
from estiva.specification.notation import python_version

if TYPE_CHECKING:
    from typing_extensions import Self

DEFAULT_FILE = "conda_dependencies.yml"
_DEFAULT_PIP = ("azureml-defaults",)


def running_python() -> str:
    """ "3.11": an unspecified version means the running interpreter's."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


class CondaDependencies:
    """Python, conda and pip packages of an environment. Without a file: Python and azureml-defaults."""

    DEFAULT_NUMBER_OF_CONDA_PACKAGES = 0
    DEFAULT_NUMBER_OF_PIP_PACKAGES = 0

    def __init__(
        self,
        conda_dependencies_file_path: str | os.PathLike[str] | None = None,
        _underlying_structure: dict[str, Any] | None = None,
    ) -> None:
        if conda_dependencies_file_path is not None:
            path = os.fspath(conda_dependencies_file_path)
            self._content: dict[str, Any] = read_yaml(read_text(path), source=path)
        elif _underlying_structure is not None:
            self._content = _underlying_structure
        else:
            pip = {"pip": list(_DEFAULT_PIP)}
            self._content = {"dependencies": [f"python={running_python()}", pip]}

    @classmethod
    def create(
        cls,
        pip_indexurl: str | None = None,
        pip_packages: Sequence[str] | None = None,
        conda_packages: Sequence[str] | None = None,
        python_version: str | None = None,
        pin_sdk_version: bool = True,  # noqa: ARG003  nothing of Azure's SDK is installed
    ) -> Self:
        """Without `pip_packages`, azureml-defaults; without a Python version, the running interpreter's."""
        created = cls()
        if pip_packages is not None:
            for default in _DEFAULT_PIP:
                created.remove_pip_package(default)
            for package in pip_packages:
                created.add_pip_package(package)
        for package in conda_packages or ():
            created.add_conda_package(package)
        if python_version is not None:
            created.set_python_version(python_version)
        if pip_indexurl:
            created.set_pip_index_url(pip_indexurl)
        return created

    # --- reading -------------------------------------------------------------------------------------

    @property
    def conda_channels(self) -> Iterator[str]:
        return iter(list(self._content.get("channels") or ()))

    @property
    def conda_packages(self) -> Iterator[str]:
        """All conda packages but Python itself."""
        return (item for item in self._conda() if not _is_python(item))

    @property
    def pip_packages(self) -> Iterator[str]:
        return (item for item in self._pip() if not item.startswith("-"))

    @property
    def pip_options(self) -> Iterator[str]:
        return (item for item in self._pip() if item.startswith("-"))

    def get_python_version(self) -> str | None:
        """ "3.11" of "python=3.11", or None."""
        found = next((item for item in self._conda() if _is_python(item)), None)
        return None if found is None else python_version(specification.parse_notation(found))

    def as_dict(self) -> dict[str, Any]:
        return dict(self._content)

    def serialize_to_string(self) -> str:
        """The specification as YAML, with the comments of the file that it came from."""
        stream = io.StringIO()
        _yaml().dump(self._content, stream)
        return stream.getvalue()

    # --- changing ------------------------------------------------------------------------------------

    def set_python_version(self, version: str) -> None:
        self._set_python(f"python={version}")

    def add_channel(self, channel: str) -> None:
        channels = self._list("channels")
        if channel not in channels:
            channels.append(channel)

    def remove_channel(self, channel: str) -> None:
        if channel in (self._content.get("channels") or ()):
            self._content["channels"].remove(channel)

    def add_conda_package(self, conda_package: str) -> None:
        """Once, however often it is added; "python=3.11" sets the Python version."""
        dependencies = self._dependencies()
        if _is_python(conda_package):
            self._set_python(conda_package)
        elif conda_package not in dependencies:
            dependencies.insert(len(self._conda()), conda_package)

    def remove_conda_package(self, conda_package: str) -> None:
        """Raises UserErrorException for Python itself: an environment needs one."""
        if _is_python(conda_package):
            raise UserErrorException("python cannot be removed: use set_python_version to change it.")
        if conda_package in self._dependencies():
            self._dependencies().remove(conda_package)

    def add_pip_package(self, pip_package: str) -> None:
        """Replaces a requirement of the same project. Raises UserErrorException for an option."""
        if pip_package.startswith("-"):
            raise UserErrorException(f"{pip_package!r} is an option: use set_pip_option.", code="PipOption")
        self.remove_pip_package(pip_package)
        self._pip_section().append(pip_package)

    def remove_pip_package(self, pip_package: str) -> None:
        name = _project(pip_package)
        _drop(self._pip_section(), lambda item: not item.startswith("-") and _project(item) == name)

    def set_pip_requirements(self, pip_requirements: Sequence[str]) -> None:
        """Exactly these requirements, and no options."""
        self._pip_section()[:] = list(pip_requirements)

    def set_pip_option(self, pip_option: str) -> None:
        """Adds an option such as "--index-url URL", in the place of the same option with another value."""
        self.remove_pip_option(pip_option)
        self._pip_section().insert(0, pip_option)

    def remove_pip_option(self, pip_option: str) -> None:
        name = _option(pip_option)
        _drop(self._pip_section(), lambda item: item.startswith("-") and _option(item) == name)

    def set_pip_index_url(self, index_url: str) -> None:
        """Takes a URL, or the whole option."""
        self.set_pip_option(index_url if index_url.startswith("-") else f"--index-url {index_url}")

    def save(self, path: str | os.PathLike[str] | None = None) -> str:
        """Writes the YAML; the answer is the path. Raises UserErrorException for a folder."""
        target = Path(path or DEFAULT_FILE)
        if target.is_dir():
            raise UserErrorException(f"{target} is a folder: give the path of a file.", code="PathIsFolder")
        if self.get_python_version() is None:
            raise UserErrorException("The specification names no Python: use set_python_version first.")
        target.write_text(self.serialize_to_string(), encoding="utf-8")
        return str(target)

    def save_to_file(self, base_directory: str | os.PathLike[str], conda_file_path: str | None = None) -> str:
        """Writes the YAML below `base_directory`; the answer is the file's name there."""
        name = conda_file_path or DEFAULT_FILE
        self.save(Path(base_directory) / name)
        return name

    # --- the structure -------------------------------------------------------------------------------

    def _list(self, key: str) -> list[Any]:
        """The list itself, made if the key is missing or has no value."""
        if self._content.get(key) is None:
            self._content[key] = []
        found: list[Any] = self._content[key]
        return found

    def _dependencies(self) -> list[Any]:
        return self._list("dependencies")

    def _set_python(self, package: str) -> None:
        dependencies = self._dependencies()
        for index, item in enumerate(dependencies):
            if isinstance(item, str) and _is_python(item):
                dependencies[index] = package
                return
        dependencies.insert(0, package)

    def _conda(self) -> list[str]:
        return [item for item in self._dependencies() if isinstance(item, str)]

    def _pip(self) -> list[str]:
        sections = (item for item in self._dependencies() if isinstance(item, dict))
        section = next((item for item in sections if "pip" in item), None)
        return list(section["pip"] or ()) if section else []

    def _pip_section(self) -> list[str]:
        """The pip list itself, made if there is none."""
        for item in self._dependencies():
            if isinstance(item, dict) and "pip" in item:
                if item["pip"] is None:
                    item["pip"] = []
                found: list[str] = item["pip"]
                return found
        created: list[str] = []
        self._dependencies().append({"pip": created})
        return created


def _yaml() -> YAML:
    yaml = YAML()  # round trip: keeps comments and order, and constructs no objects
    yaml.width = 4096
    return yaml


def read_yaml(text: str, *, source: str) -> Any:
    """What CondaDependencies is made of; raises UserErrorException, with the place, for no specification."""
    specification.parse_conda(text, name=source, source=source)
    return _yaml().load(text)


def read_text(path: str | os.PathLike[str]) -> str:
    """Raises UserErrorException for a file that cannot be read as text."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserErrorException(
            f"{os.fspath(path)} cannot be read: {error.strerror}.", code="FileUnreadable"
        ) from error
    except UnicodeDecodeError as error:
        raise UserErrorException(
            f"{os.fspath(path)} is not UTF-8 text: {error}.", code="FileUnreadable"
        ) from error


def _drop(items: list[Any], unwanted: Callable[[Any], bool]) -> None:
    """One by one, so that the comments beside the others stay beside them."""
    for index in reversed(range(len(items))):
        if unwanted(items[index]):
            del items[index]


def _is_python(package: str) -> bool:
    try:
        return specification.parse_notation(package).name == "python"
    except UserErrorException:
        return False


def _project(requirement: str) -> str:
    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        return requirement


def _option(line: str) -> str:
    return line.replace("=", " ").split()[0]
