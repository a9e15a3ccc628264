from __future__ import annotations

from typing import Any

import pytest

from estiva import AciWebservice, ContainerWebservice
from estiva.errors import WebserviceException
from estiva.sdk.deploying import request

configuration: Any = ContainerWebservice.deploy_configuration


def test_the_older_name_is_the_same_class() -> None:
    assert AciWebservice is ContainerWebservice
    assert ContainerWebservice.compute_type == "ACI"


def test_what_is_given_is_a_limit_and_what_is_not_is_none() -> None:
    free = request(None, None, configuration())
    assert (free.kind, free.settings and free.settings.cpu_limit) == ("container", None)
    given = configuration(1, 2, {"area": "x"}, port=8890, gpu_cores=1, environment_variables={"A": "1"})
    asked = request(None, None, given)
    assert asked.settings is not None
    assert asked.publication is not None
    assert (asked.settings.cpu_limit, asked.settings.memory_limit, asked.settings.gpus) == (1, 2 * 1000**3, 1)
    assert (asked.settings.cpu_reserved, asked.settings.memory_reserved) == (1, 2 * 1000**3)
    assert (asked.tags, asked.variables, asked.publication.port) == ({"area": "x"}, {"A": "1"}, 8890)


@pytest.mark.parametrize(
    ("parameters", "problem"),
    [
        ({"cpu_cores": 0}, "cpu_cores must be greater than 0, not 0."),
        ({"memory_gb": -1}, "memory_gb must be greater than 0, not -1."),
        ({"gpu_cores": -1}, "gpu_cores must be 0 or more, not -1."),
        ({"vnet_name": "net"}, "vnet_name, subnet_name go together: give subnet_name too, or none."),
        (
            {"cmk_key_name": "key"},
            (
                "cmk_vault_base_url, cmk_key_name, cmk_key_version go together: "
                "give cmk_vault_base_url and cmk_key_version too, or none."
            ),
        ),
    ],
)
def test_the_first_problem_is_told(parameters: dict[str, Any], problem: str) -> None:
    with pytest.raises(WebserviceException) as caught:
        configuration(**parameters)
    assert caught.value.message == problem


def test_tls_needs_its_files_and_a_name() -> None:
    with pytest.raises(WebserviceException, match="ssl_enabled needs ssl_cert_pem_file and ssl_key"):
        configuration(ssl_enabled=True)


def test_what_has_no_effect_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    configuration(cpu_cores=1, location="westeurope", dns_name_label="x").print_deploy_configuration()
    assert capsys.readouterr().out == (
        "Container service, CPU limit 1, memory limit none, port chosen when it is deployed\n"
        "Of no effect here: location, dns_name_label\n"
    )
