"""The files of Azure ML's v1 command line: inferenceconfig.json and deploymentconfig.json."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from estiva.azureml.conda_dependencies import CondaDependencies
from estiva.azureml.environment import Environment
from estiva.azureml.inference import InferenceConfig
from estiva.azureml.kinds import AciWebservice, AksEndpoint, AksWebservice, LocalWebservice
from estiva.errors import UserErrorException, WebserviceException
from estiva.sdk.configuration import WebserviceDeploymentConfiguration

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

_KINDS = {
    "aci": AciWebservice.deploy_configuration,
    "aks": AksWebservice.deploy_configuration,
    "aksendpoint": AksEndpoint.deploy_configuration,
    "local": LocalWebservice.deploy_configuration,
}

_INFERENCE = {
    "entryScript": "entry_script",
    "sourceDirectory": "source_directory",
    "runtime": "runtime",
    "condaFile": "conda_file",
    "extraDockerfileSteps": "extra_docker_file_steps",
    "enableGpu": "enable_gpu",
    "baseImage": "base_image",
    "cudaVersion": "cuda_version",
    "description": "description",
}

_DEPLOYMENT: dict[str, str | dict[str, str]] = {
    "containerResourceRequirements": {
        "cpu": "cpu_cores",
        "cpuLimit": "cpu_cores_limit",
        "memoryInGB": "memory_gb",
        "memoryInGBLimit": "memory_gb_limit",
    },
    "autoScaler": {
        "autoscaleEnabled": "autoscale_enabled",
        "minReplicas": "autoscale_min_replicas",
        "maxReplicas": "autoscale_max_replicas",
        "refreshPeriodInSeconds": "autoscale_refresh_seconds",
        "targetUtilization": "autoscale_target_utilization",
    },
    "livenessProbeRequirements": {
        "periodSeconds": "period_seconds",
        "initialDelaySeconds": "initial_delay_seconds",
        "timeoutSeconds": "timeout_seconds",
        "successThreshold": "success_threshold",
        "failureThreshold": "failure_threshold",
    },
    "dataCollection": {"storageEnabled": "collect_model_data"},
    "keys": {"primaryKey": "primary_key", "secondaryKey": "secondary_key"},
    "authEnabled": "auth_enabled",
    "tokenAuthEnabled": "token_auth_enabled",
    "appInsightsEnabled": "enable_app_insights",
    "scoringTimeoutMs": "scoring_timeout_ms",
    "maxConcurrentRequestsPerContainer": "replica_max_concurrent_requests",
    "maxQueueWaitMs": "max_request_wait_time",
    "numReplicas": "num_replicas",
    "gpuCores": "gpu_cores",
    "namespace": "namespace",
    "computeTargetName": "compute_target_name",
    "versionName": "version_name",
    "trafficPercentile": "traffic_percentile",
    "port": "port",
    "location": "location",
    "sslEnabled": "ssl_enabled",
    "sslCertificate": "ssl_cert_pem_file",
    "sslKey": "ssl_key_pem_file",
    "cname": "ssl_cname",
    "dnsNameLabel": "dns_name_label",
    "vnetName": "vnet_name",
    "subnetName": "subnet_name",
    "tags": "tags",
    "properties": "properties",
    "description": "description",
}


def inference_config(file: Path, workspace: Workspace) -> InferenceConfig:
    """Paths in the file are looked up from the current folder, as there.

    Raises UserErrorException for what is no such file.
    """
    content = _read(file)
    environment = content.pop("environment", None)
    content.pop("baseImageRegistry", None)
    given = _parameters(file, content, dict(_INFERENCE))
    if "entry_script" not in given:
        raise UserErrorException(f"{file} names no entryScript.", code="FileInvalid")
    if environment is not None:
        given["environment"] = _environment(file, environment, workspace)
    return InferenceConfig(**given)


def deployment_config(file: Path) -> WebserviceDeploymentConfiguration:
    """Raises WebserviceException without a computeType, UserErrorException for keys that there are not."""
    content = _read(file)
    kind = str(content.pop("computeType", "")).lower()
    if kind not in _KINDS:
        raise WebserviceException(
            f"{file} needs a computeType: {', '.join(_KINDS)}.", code="ComputeTypeMissing"
        )
    given = _parameters(file, content, _DEPLOYMENT)
    try:
        return _KINDS[kind](**given)
    except TypeError as error:
        raise UserErrorException(f"{file}: a service of {kind} does not take that: {error}.") from error


def _parameters(
    file: Path, content: dict[str, Any], known: dict[str, Any] | dict[str, str | dict[str, str]]
) -> dict[str, Any]:
    """Nulls are as if they were not there."""
    given: dict[str, Any] = {}
    for key, value in content.items():
        name = known.get(key)
        if name is None:
            close = difflib.get_close_matches(key, known, n=1)
            raise UserErrorException(
                f"{file}: there is no {key!r}" + (f"; did you mean {close[0]!r}?" if close else "."),
                code="FileInvalid",
            )
        if value is None:
            continue
        if isinstance(name, str):
            given[name] = value
        else:
            given.update(_parameters(file, value, name))
    return given


def _environment(file: Path, given: Any, workspace: Workspace) -> Environment:
    """A name and version of a registered one, or its whole definition as `save_to_directory` writes it."""
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise UserErrorException(f"{file}: environment needs a name.", code="FileInvalid")
    if "python" not in given and "docker" not in given:
        return Environment.get(workspace, given["name"], given.get("version"))
    environment = Environment(given["name"])
    environment.environment_variables = dict(given.get("environmentVariables") or {})
    environment.inferencing_stack_version = given.get("inferencingStackVersion")
    python = given.get("python") or {}
    environment.python.user_managed_dependencies = bool(python.get("userManagedDependencies"))
    environment.python.interpreter_path = python.get("interpreterPath") or "python"
    if python.get("condaDependencies"):
        conda = CondaDependencies(_underlying_structure=python["condaDependencies"])
        environment.python.conda_dependencies = conda
    docker = given.get("docker") or {}
    environment.docker.base_image = docker.get("baseImage")
    if docker.get("baseDockerfile"):
        environment.docker.base_dockerfile = docker["baseDockerfile"]
    return environment


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserErrorException(f"{file} is not readable JSON: {error}.", code="FileInvalid") from error
    if not isinstance(content, dict):
        raise UserErrorException(f"{file} is not a JSON object.", code="FileInvalid")
    return content
