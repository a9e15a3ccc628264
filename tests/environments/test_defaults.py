from __future__ import annotations

import pytest

from estiva.environments.defaults import Plan, substitute
from estiva.errors import EnvironmentException, UserErrorException
from estiva.records import EnvironmentSpecification


def plan(pip: tuple[str, ...] = (), conda: tuple[str, ...] = ()) -> Plan:
    return substitute(EnvironmentSpecification(name="e", pip_packages=pip, conda_packages=conda))


def test_what_pypi_has_is_asked_of_it_as_it_is() -> None:
    assert plan(("numpy>=1.26", "uvicorn[standard]")) == Plan(("numpy>=1.26", "uvicorn[standard]"))


@pytest.mark.parametrize(
    "text", ["azureml-defaults", "azureml_defaults>=1.0.45", "AzureML-Defaults[extra]==1.2"]
)
def test_azureml_defaults_is_expected_and_silent(text: str) -> None:
    assert plan((text, "numpy")) == Plan(("numpy",))


def test_other_parts_that_the_server_provides_are_named() -> None:
    served = ("azureml-defaults", "azureml-core", "azureml-inference-server-http")
    assert plan(served) == Plan(
        (),
        (f"Provided by the scoring server instead of being installed: {', '.join(served)}.",),
    )


def test_ptvsd_becomes_debugpy() -> None:
    assert plan(("ptvsd==4.3",)) == Plan(("debugpy",), ("ptvsd is replaced by its successor debugpy.",))


def test_conda_packages_come_from_pypi_with_one_notice() -> None:
    asked = plan(
        (), ("numpy=1.26", "scipy=1.11.4=py311_0", "conda-forge::pandas>=1.5,<3", "python=3.11", "pip")
    )
    assert asked == Plan(
        ("numpy==1.26.*", "scipy==1.11.4", "pandas>=1.5,<3"),
        ("Conda packages are installed from PyPI: numpy==1.26.*, scipy==1.11.4, pandas>=1.5,<3.",),
        {"numpy": "numpy=1.26", "scipy": "scipy=1.11.4=py311_0", "pandas": "conda-forge::pandas>=1.5,<3"},
    )


def test_what_pypi_cannot_have_is_refused_all_at_once() -> None:
    conda = (
        "numpy=1.26",
        "_libgcc_mutex=0.1=main",
        "openssl=1.1.1w",
        "pytorch=2.1",
        "r-base",
        "scipy<1.9|>1.10",
    )
    with pytest.raises(EnvironmentException) as caught:
        plan((), conda)
    assert caught.value.code == "CondaPackageNotOnPyPI"
    assert (
        "_libgcc_mutex=0.1=main, openssl=1.1.1w, pytorch=2.1, r-base, scipy<1.9|>1.10."
        in caught.value.message
    )
    assert "On PyPI, pytorch is called torch." in caught.value.message
    assert "numpy" not in caught.value.message


def test_what_is_no_requirement_is_refused() -> None:
    with pytest.raises(UserErrorException, match=r'Did you mean "numpy==1\.26"'):
        plan(("numpy=1.26",))
