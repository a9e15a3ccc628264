from __future__ import annotations

import pytest

from estiva.azureml.compute import AksCompute, ComputeTarget, KubernetesCompute
from estiva.azureml.compute_configuration import SslConfiguration, SystemService
from estiva.azureml.workspace import Workspace
from estiva.errors import ComputeTargetException

CLUSTER = "/subscriptions/s/resourceGroups/g/providers/p/managedClusters/c"


def test_a_target_is_made_found_and_forgotten(workspace: Workspace, told: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ComputeTargetException, match="ComputeTargetNotFound"):
        ComputeTarget(workspace, "aks")
    configuration = AksCompute.provisioning_configuration(agent_count=3, vm_size="large")
    made = ComputeTarget.create(workspace, "aks", configuration)
    made.wait_for_completion(show_output=True)
    out, err = told.readouterr()
    assert 'Provisioning operation finished, operation "Succeeded"' in out
    assert "'aks' is this machine" in err
    found = ComputeTarget(workspace, "aks")
    assert isinstance(found, AksCompute)
    assert (found.provisioning_state, found.agent_count, found.agent_vm_size) == ("Succeeded", 3, "large")
    assert ComputeTarget.deserialize(workspace, found.serialize()).created_on == found.created_on
    assert list(workspace.compute_targets) == ["aks"]
    found.delete()
    assert workspace.compute_targets == {}


def test_a_cluster_is_attached(workspace: Workspace) -> None:
    with pytest.raises(ComputeTargetException, match="resource_id"):
        AksCompute.attach_configuration()
    with pytest.raises(ComputeTargetException, match="9 parts"):
        AksCompute.attach_configuration(resource_id="/half/an/id")
    given = AksCompute.attach_configuration(
        "group", "cluster", cluster_purpose=AksCompute.ClusterPurpose.DEV_TEST
    )
    attached = ComputeTarget.attach(workspace, "attached", given)
    assert attached.is_attached
    with pytest.raises(ComputeTargetException, match="no cluster credentials"):
        AksCompute(workspace, "attached").get_credentials()
    with pytest.raises(ComputeTargetException, match="of type AKS, not Kubernetes"):
        KubernetesCompute(workspace, "attached")
    attached.detach()


def test_a_kubernetes_cluster_is_detached_not_deleted(workspace: Workspace) -> None:
    given = KubernetesCompute.attach_configuration(resource_id=CLUSTER, namespace="ours")
    target = ComputeTarget.attach(workspace, "cluster", given)
    assert isinstance(target, KubernetesCompute)
    assert target.namespace == "ours"
    with pytest.raises(ComputeTargetException, match="detach"):
        target.delete()
    target.detach()


@pytest.mark.parametrize("name", ["local", "AmlCompute", "a/b", "", "-x"])
def test_names_that_cannot_be(workspace: Workspace, name: str) -> None:
    with pytest.raises(ComputeTargetException, match="cannot be the name"):
        ComputeTarget.create(workspace, name, AksCompute.provisioning_configuration())


def test_configurations_are_checked() -> None:
    with pytest.raises(ComputeTargetException, match="agent_count"):
        AksCompute.provisioning_configuration(agent_count=0)
    with pytest.raises(ComputeTargetException, match="vnet_name"):
        AksCompute.provisioning_configuration(vnet_name="v")
    with pytest.raises(ComputeTargetException, match="FastProd"):
        AksCompute.provisioning_configuration(cluster_purpose="Fast")
    configuration = AksCompute.provisioning_configuration()
    with pytest.raises(ComputeTargetException, match="not both"):
        configuration.enable_ssl(ssl_cname="n", leaf_domain_label="l")
    with pytest.raises(ComputeTargetException, match="all of"):
        configuration.enable_ssl(ssl_cname="n")
    configuration.enable_ssl(leaf_domain_label="l")
    assert configuration.leaf_domain_label == "l"


def test_payloads_come_back_as_they_went() -> None:
    ssl = SslConfiguration("Enabled", cname="n")
    assert SslConfiguration.deserialize(ssl.serialize()).serialize() == ssl.serialize()
    service = SystemService("Scoring", "1", "10.0.0.1")
    assert SystemService.deserialize(service.serialize()).version == "1"
