"""What goes along when an environment is built on another machine."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from estiva.environments import Environments, shipping
from estiva.errors import EnvironmentException
from estiva.records import EnvironmentSpecification
from tests.environments.conftest import Wheels

OWN = f"3.{sys.version_info.minor}"


def ship(environments: Environments, spec: EnvironmentSpecification) -> shipping.Shipment:
    return environments.ship(spec, sys.executable, "amd64", "/tmp/wheels", lambda _: None, lambda: False)


def test_locked_wheels_of_a_folder_go_along(environments: Environments, wheels: Wheels) -> None:
    wanted = wheels.make("apple", "1.0")
    wheels.make("pear", "1.0")

    found = ship(environments, wheels.specification("apple"))

    assert found.files == ((wanted.name, wanted),)
    assert "--find-links /tmp/wheels\n" in found.requirements
    assert str(wheels.folder) not in found.requirements
    assert "apple==1.0" in found.requirements
    assert found.hashed


def test_a_wheel_that_is_named_by_its_path_goes_along(environments: Environments, wheels: Wheels) -> None:
    wheel = wheels.make("apple", "1.0")

    found = ship(environments, wheels.specification(f"apple @ file://{wheel}"))

    assert f"file:///tmp/wheels/{wheel.name}" in found.requirements


def test_packages_that_run_now_are_pinned_but_for_our_own(environments: Environments) -> None:
    found = ship(environments, EnvironmentSpecification(name="current", borrowed_from=sys.executable))

    assert f"pytest=={pytest.__version__}\n" in found.requirements
    assert "estiva" not in found.requirements
    assert not found.hashed


@pytest.mark.parametrize(
    ("wanted", "series"), [(None, OWN), ("3.12.1", "3.12"), (">=3.10,<3.11", "3.10"), (">=3.10", OWN)]
)
def test_the_series_of_what_is_asked_for(wanted: str | None, series: str) -> None:
    assert shipping.series_of(wanted, sys.executable) == series


def test_a_python_that_the_server_does_not_run_on() -> None:
    with pytest.raises(EnvironmentException, match="<3"):
        shipping.series_of("<3", sys.executable)


def test_a_machine_that_images_are_not_built_for(environments: Environments) -> None:
    with pytest.raises(EnvironmentException, match="not for s390x"):
        shipping.interpreter_for("3.11", sys.executable, "s390x")


def test_settings_of_pip_become_those_of_the_build(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificates")
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.org/simple")
    monkeypatch.setenv("PIP_CERT", str(bundle))

    assert shipping.build_settings()["UV_DEFAULT_INDEX"] == "https://packages.example.org/simple"
    assert shipping.certificates() == bundle
