"""Forty specifications of the kind that give trouble: each resolves, or fails with what is at fault."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from estiva.environments import Environments, locks
from estiva.errors import EstivaError
from estiva.records import EnvironmentSpecification
from estiva.specification import parse_conda, parse_pip
from tests.environments.conftest import Wheels

NEXT = f"3.{sys.version_info.minor + 1}"
OWN = "{}.{}".format(*sys.version_info)
DIGEST = "0" * 64


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    made = Wheels(tmp_path_factory.mktemp("wheels"))
    for version in ("1.19.5", "1.26.4", "2.0.0"):
        made.make("numpy", version)
    made.make("scipy", "1.11.0", needs=("numpy<2",))
    made.make("pandas", "2.2.0", needs=("numpy>=1.26",))
    made.make("old_model", "0.1", needs=("numpy==1.19.5",))
    made.make("new_model", "0.1", needs=("numpy>=2",))
    made.make("future", "1.0", python=f">={NEXT}")
    made.make("compiled", "1.0", tag="cp27-cp27m-win32")
    made.make("lost", "1.0", needs=("nowhere",))
    made.make("preview", "1.0rc1")
    made.make("extra", "1.0", needs=('numpy; extra == "fast"',))
    made.make("debugpy", "1.8.0")
    made.make("azureml_monitoring", "0.1")
    return made


RESOLVES = {
    # below `dependencies:` of a conda YAML
    "conda's single equals sign": ("yaml", "[numpy=1.26]", "numpy==1.26.4"),
    "a range with a star": ("yaml", '["numpy>=1.19.*,<2"]', "numpy==1.26.4"),
    "spaces in place of equals signs": ("yaml", '["numpy 1.26.4"]', "numpy==1.26.4"),
    "a build that PyPI cannot know": ("yaml", "[numpy=1.26.4=py311h64a7726_0]", "numpy==1.26.4"),
    "a channel before the name": ("yaml", '["conda-forge::numpy=1.26"]', "numpy==1.26.4"),
    "a version that YAML would take for a number": ("yaml", "[numpy==2.0]", "numpy==2.0.0"),
    "python as a range": ("yaml", f'["python>=3.10,<{NEXT}", numpy]', "numpy==2.0.0"),
    "pip pinned among the conda packages": ("yaml", "[pip=21.0.1, numpy]", "numpy==2.0.0"),
    "the same package from conda and pip": ("yaml", '[numpy=1.26, {pip: ["numpy<2"]}]', "numpy==1.26.4"),
    "an anchor": ("yaml", '[&n "numpy<2", {pip: [*n]}]', "numpy==1.26.4"),
    "two sections of pip": ("yaml", '[{pip: [scipy]}, {pip: ["numpy<1.26.4"]}]', "scipy==1.11.0"),
    "azureml-defaults": ("yaml", "[{pip: [azureml-defaults~=1.55, numpy]}]", "numpy==2.0.0"),
    "azureml-core with extras": ("yaml", '[{pip: ["azureml-core[notebooks]==1.9", numpy]}]', "numpy==2.0.0"),
    "another azureml package": ("yaml", "[{pip: [azureml-monitoring]}]", "azureml-monitoring==0.1"),
    # requirements of pip
    "Windows line ends and a byte order mark": ("pip", "\ufeffnumpy<2\r\nscipy\r\n", "scipy==1.11.0"),
    "a continued line": ("pip", "numpy \\\n  <2\n", "numpy==1.26.4"),
    "a comment behind": ("pip", "numpy<2  # see #12\n", "numpy==1.26.4"),
    "a marker that does not hold": ("pip", 'nowhere; python_version < "3"\nnumpy<2\n', "numpy==1.26.4"),
    "an extra": ("pip", "extra[fast]\nnumpy<2\n", "numpy==1.26.4"),
    "names written in other ways": ("pip", "Old_Model\n", "old-model==0.1"),
    "the same requirement twice": ("pip", "numpy<2\nnumpy<2\n", "numpy==1.26.4"),
    "a preview that is asked for": ("pip", "preview==1.0rc1\n", "preview==1.0rc1"),
    "previews allowed": ("pip", "--pre\npreview\n", "preview==1.0rc1"),
    "the debugger of old": ("pip", "ptvsd==4.3.2\n", "debugpy==1.8.0"),
}

FAILS = {
    "pins that exclude each other": ("pip", "old_model\nnew_model\n", "VersionConflict", "numpy"),
    "a package and a pin": ("pip", "scipy\nnumpy>=2\n", "VersionConflict", "scipy"),
    "the same package twice": ("pip", "numpy==1.26.4\nnumpy==2.0.0\n", "VersionConflict", "numpy"),
    "a version that never was": ("pip", "numpy==9\n", "PackageNotFound", "numpy"),
    "a package that never was": ("pip", "sklearn-magic\n", "PackageNotFound", "sklearn-magic"),
    "a dependency that is gone": ("pip", "lost\n", "PackageNotFound", "nowhere"),
    "a wheel for another Python": ("pip", "future\n", "VersionConflict", NEXT),
    "only wheels for another system": ("pip", "compiled\n", "NoWheel", "compiled"),
    "a hash of another file": ("pip", f"numpy==2.0.0 --hash=sha256:{DIGEST}\n", "HashMismatch", "numpy"),
    "one equals sign in a requirements file": ("pip", "numpy=1.26\n", "SpecificationInvalid", "numpy==1.26"),
    "an editable folder": ("pip", "-e .\n", "SpecificationInvalid", "pip wheel"),
    "another requirements file": ("pip", "-r base.txt\n", "SpecificationInvalid", "-r base.txt"),
    "a path": ("pip", "./wheels/x.whl\n", "SpecificationInvalid", "./wheels/x.whl"),
    "a compiler from conda": ("yaml", "[gcc_linux-64, numpy]", "CondaPackageNotOnPyPI", "gcc_linux-64"),
    "a conda name of a Python package": ("yaml", "[pytorch]", "CondaPackageNotOnPyPI", "torch"),
    "pip written as a mapping": ("yaml", "[{numpy: 1.26}]", "SpecificationInvalid", "numpy=1.26"),
    "a number as a package": ("yaml", "[3.11]", "SpecificationInvalid", "3.11"),
    "a misspelt key": ("whole", "dependancies: []", "SpecificationInvalid", "dependencies"),
    "a tab": ("whole", "dependencies:\n\t- numpy", "SpecificationInvalid", "tab"),
    "a Python that is too old": ("yaml", "[python=3.6, numpy]", "PythonTooOld", "3.6"),
    "Python twice": ("yaml", f"[python={OWN}, python=3.9]", "SpecificationInvalid", "Python is given twice"),
}


def parsed(kind: str, text: str, wheels: Wheels) -> EnvironmentSpecification:
    if kind == "pip":
        found = parse_pip(text, name="e")
    else:
        found = parse_conda(text if kind == "whole" else f"dependencies: {text}", name="e")
    options = (*found.pip_options, "--no-index", f"--find-links {wheels.folder}")
    return found.model_copy(update={"pip_options": options, "resolver": "pypi"})


def resolved(kind: str, text: str, wheels: Wheels, root: Path) -> tuple[str, ...]:
    environments = Environments(root, root)
    spec = parsed(kind, text, wheels)
    return locks.packages(environments.lock(spec, sys.executable, lambda _: None, lambda: False))


def test_there_are_forty() -> None:
    assert len(RESOLVES) + len(FAILS) >= 40


@pytest.mark.parametrize("name", RESOLVES)
def test_it_resolves(name: str, wheels: Wheels, tmp_path: Path) -> None:
    kind, text, package = RESOLVES[name]
    assert package in resolved(kind, text, wheels, tmp_path)


@pytest.mark.parametrize("name", FAILS)
def test_it_fails_and_names_the_culprit(name: str, wheels: Wheels, tmp_path: Path) -> None:
    kind, text, code, culprit = FAILS[name]
    with pytest.raises(EstivaError) as caught:
        resolved(kind, text, wheels, tmp_path)
    assert caught.value.code == code
    assert culprit in caught.value.message
