"""Services of the Kubernetes kind on this machine, as scripts written for AksWebservice use them."""

from __future__ import annotations

import httpx
import pytest

from estiva import AksWebservice, LocalWebservice, Model, Webservice
from estiva.cli.deploy import fields
from estiva.cli.service import find_service
from estiva.errors import WebserviceException
from tests.e2e.conftest import TRIPLING, Project, body


def test_two_services_share_the_port_of_the_workspace_and_ask_for_their_own_keys(project: Project) -> None:
    configuration = AksWebservice.deploy_configuration(num_replicas=2, replica_max_concurrent_requests=1)
    service = Model.deploy(project.workspace, "doubling", [], project.inference(), configuration)
    service.wait_for_deployment()
    project.write(TRIPLING)
    other = Model.deploy(
        project.workspace, "tripling", [], project.inference(), AksWebservice.deploy_configuration()
    )
    other.wait_for_deployment()

    assert isinstance(Webservice(project.workspace, "doubling"), AksWebservice)
    assert (service.state, service.compute_type, len(service.replicas)) == ("Healthy", "AKS", 2)
    assert str(service.scoring_uri).endswith("/api/v1/service/doubling/score")
    assert str(other.scoring_uri).replace("tripling", "doubling") == service.scoring_uri
    assert (service.run(body(1)), other.run(body(1))) == ([2], [3])
    headers = {"Authorization": f"Bearer {other.get_keys()[0]}"}
    assert httpx.post(str(service.scoring_uri), content=body(1), headers=headers).status_code == 401
    assert httpx.post(str(service.scoring_uri), content=body(1)).status_code == 401

    service.update(inference_config=project.inference(), num_replicas=1, auth_enabled=False, wait=True)
    assert httpx.post(str(service.scoring_uri), content=body(1)).json() == [3]
    assert (service.wanted_replicas, service.generation) == (1, 2)
    service.update(num_replicas=2, auth_enabled=True, wait=True)
    assert (service.wanted_replicas, service.generation, service.auth_enabled) == (2, 2, True)
    service.delete()
    assert other.run(body(1)) == [3]


def test_commands_know_the_kind_of_a_service(project: Project) -> None:
    Model.deploy(
        project.workspace, "kube", [], project.inference(), AksWebservice.deploy_configuration(num_replicas=2)
    ).wait_for_deployment()
    with pytest.raises(WebserviceException, match="'kube' is a KubernetesWebservice, not a LocalWebservice"):
        LocalWebservice(project.workspace, "kube")
    service = find_service(project.workspace.name, "kube")
    shown = fields(service)
    assert (shown["kind"], shown["state"], shown["replicas"]) == ("AKS", "Healthy", "2 of 2 ready")
    service.update(deployment_config=service.deployment_configuration(scoring_timeout_ms=5000), wait=True)
    configured = service.deployment_configuration()
    assert (configured.scoring_timeout_ms, service.wanted_replicas, service.auth_enabled) == (5000, 2, True)
    assert service.run(body(1)) == [2]
