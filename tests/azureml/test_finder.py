from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from estiva.azureml.names import MODULES

# What a script would notice: half a second and more, or a server's part of Estiva.
HEAVY = (
    "fastapi",
    "httpx",
    "numpy",
    "pandas",
    "pydantic",
    "rich",
    "sqlalchemy",
    "estiva.sdk",
    "estiva.control",
)


def python(program: str, *, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    prelude = "" if path is None else f"import sys; sys.path.insert(0, {str(path)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", prelude + program], capture_output=True, text=True, check=False
    )


def answer(program: str, *, path: Path | None = None) -> str:
    ended = python(program, path=path)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


INSTALL = "import estiva.azureml; estiva.azureml.install()\n"


def test_importing_azureml_core_pulls_in_nothing_heavy() -> None:
    loaded = answer(INSTALL + "import azureml.core, sys; print(*sys.modules)").split()
    assert [name for name in HEAVY if name in loaded] == []


def test_every_name_of_every_module_is_there() -> None:
    program = INSTALL + (
        "import importlib\nfrom estiva.azureml.names import MODULES\n"
        "for module in MODULES:\n"
        "    found = importlib.import_module(module)\n"
        "    assert [name for name in found.__all__ if getattr(found, name, None) is None] in "
        "([], ['PYTHON_DEFAULT_VERSION']), module\n"
        "print(len(MODULES))"
    )
    assert int(answer(program)) == len(MODULES)


def test_modules_are_reached_by_attributes_stars_and_aliases() -> None:
    program = INSTALL + (
        "import azureml.core\nimport azureml.core.compute as compute\nfrom azureml.core.webservice import *\n"
        "print(azureml.core.webservice.AksWebservice is AksWebservice, compute.AksCompute.__name__)"
    )
    assert answer(program) == "True AksCompute\n"


def test_a_part_that_is_no_part_of_deployments_is_named() -> None:
    ended = python(INSTALL + "import azureml.train.sklearn")
    assert "No module named 'azureml.train'" in ended.stderr
    assert "run them elsewhere" in ended.stderr
    assert (
        "ImportError: cannot import name 'ScriptRunConfig'"
        in python(INSTALL + "from azureml.core import ScriptRunConfig").stderr
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder with packages such as Azure ML's own."""
    for package in ("core", "opendatasets"):
        folder = tmp_path / "azureml" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("VERSION = 'theirs'\n")
    return tmp_path


def test_estiva_wins_over_installed_packages_and_says_so(installed: Path) -> None:
    ended = python(INSTALL + "import azureml.core; print(azureml.core.VERSION)", path=installed)
    assert ended.stdout == "1.61.0\n"
    assert f"installed as well ({installed / 'azureml'})" in ended.stderr
    assert "azureml.core is Estiva's" in ended.stderr


def test_what_estiva_has_not_comes_from_the_installed_packages(installed: Path) -> None:
    program = "import azureml.opendatasets; print(azureml.opendatasets.VERSION)"
    assert answer(INSTALL + program, path=installed) == "theirs\n"


def test_what_was_imported_before_stays_and_install_says_so(installed: Path) -> None:
    ended = python("import azureml.core\n" + INSTALL, path=installed)
    assert "RunEnvironmentException: azureml.core was imported already" in ended.stderr
    assert "python -m estiva.azureml" in ended.stderr


def test_installing_twice_is_as_once() -> None:
    program = INSTALL * 2 + "import sys; print(sum('StandIns' in repr(finder) for finder in sys.meta_path))"
    assert answer(program) == "1\n"
