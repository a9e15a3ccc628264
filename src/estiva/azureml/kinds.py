"""All kinds of services: importing this makes their classes the ones that objects get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from estiva.azureml.aci import AciWebservice
from estiva.azureml.aks import AksServiceDeploymentConfiguration, AksWebservice
from estiva.azureml.aks_endpoint import AksEndpoint
from estiva.azureml.compute import AksCompute, ComputeTarget, KubernetesCompute
from estiva.azureml.local import LocalWebservice
from estiva.azureml.webservice import Webservice
from estiva.errors import WebserviceException
from estiva.sdk.configuration import WebserviceDeploymentConfiguration

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

__all__ = [
    "AciWebservice",
    "AksEndpoint",
    "AksWebservice",
    "LocalWebservice",
    "Webservice",
    "configuration",
    "given",
]


def configuration(
    workspace: Workspace, config: WebserviceDeploymentConfiguration | None, target: Any
) -> WebserviceDeploymentConfiguration:
    """The configuration to deploy with; that and the target must fit. Raises WebserviceException."""
    if target in (None, "local"):
        return config or AciWebservice.deploy_configuration()
    if isinstance(target, str):
        target = ComputeTarget(workspace, target)
    if not isinstance(target, AksCompute | KubernetesCompute):
        raise WebserviceException(
            f"{target!r} is no compute target that services are deployed to: use an AksCompute, or leave "
            "deployment_target out to deploy on this machine.",
            code="ComputeTargetInvalid",
        )
    chosen = config or AksServiceDeploymentConfiguration()
    if not isinstance(chosen, AksServiceDeploymentConfiguration):
        raise WebserviceException(
            f"The compute target {target.name!r} takes services of AksWebservice.deploy_configuration(), "
            f"not {type(chosen).__name__}. Leave deployment_target out, or use that configuration.",
            code="ComputeTargetInvalid",
        )
    chosen.compute_target_name = chosen.compute_target_name or target.name
    return chosen


def given(config: WebserviceDeploymentConfiguration) -> dict[str, Any]:
    """What a script set in a configuration, without secrets: what the service's attributes show."""
    secret = ("primary_key", "secondary_key", "secrets", "environment_variables", "tags", "properties")
    return {
        name: value
        for name, value in vars(config).items()
        if name not in secret and value not in (None, {}) and not name.startswith("_")
    }
