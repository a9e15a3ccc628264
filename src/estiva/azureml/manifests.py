"""The YAML files of Azure ML's v2 command line: online endpoints (endpoint.yml) and their deployments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from estiva.azureml import notices
from estiva.azureml.aks_endpoint import AksEndpoint
from estiva.azureml.conda_dependencies import CondaDependencies
from estiva.azureml.environment import Environment
from estiva.azureml.inference import InferenceConfig
from estiva.azureml.kinds import Webservice
from estiva.azureml.model import Model
from estiva.errors import UserErrorException, WebserviceException

if TYPE_CHECKING:
    from estiva.azureml.workspace import Workspace

_ENDPOINT = ("$schema", "name", "auth_mode", "traffic", "description", "tags", "properties")
_DEPLOYMENT = (
    *("$schema", "name", "endpoint_name", "type", "model", "model_mount_path", "code_configuration"),
    *("environment", "environment_variables", "instance_type", "instance_count", "request_settings"),
    *("liveness_probe", "readiness_probe", "scale_settings", "app_insights_enabled", "description"),
    *("tags", "properties"),
)
_WITHOUT_EFFECT = ("instance_type", "readiness_probe", "app_insights_enabled", "model_mount_path")

_REQUESTS = {
    "request_timeout_ms": "scoring_timeout_ms",
    "max_concurrent_requests_per_instance": "replica_max_concurrent_requests",
    "max_queue_wait_ms": "max_request_wait_time",
}
_PROBE = {
    "initial_delay": "initial_delay_seconds",
    "period": "period_seconds",
    "timeout": "timeout_seconds",
    "success_threshold": "success_threshold",
    "failure_threshold": "failure_threshold",
}
_SCALE = {
    "min_instances": "autoscale_min_replicas",
    "max_instances": "autoscale_max_replicas",
    "target_utilization_percentage": "autoscale_target_utilization",
}
_REFERENCE = "azureml:"


class Manifest:
    """One file; the paths in it are relative to its folder. Raises UserErrorException for what is none."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.content = _read(file)
        self.is_deployment = "endpoint_name" in self.content or "model" in self.content
        known = _DEPLOYMENT if self.is_deployment else _ENDPOINT
        unknown = [key for key in self.content if key not in known]
        if unknown or "name" not in self.content:
            what = f"does not know {', '.join(unknown)}" if unknown else "has no name"
            raise UserErrorException(f"{file} {what}; it may have: {', '.join(known)}.", code="FileInvalid")

    @property
    def name(self) -> str:
        return str(self.content["name"])

    def get(self, key: str) -> Any:
        return self.content.get(key)

    # --- of a deployment -----------------------------------------------------------------------------

    def models(self, workspace: Workspace) -> list[Any]:
        given = self.get("model")
        if isinstance(given, dict):
            given = given.get("path")
        if given is None:
            return []
        if not str(given).startswith(_REFERENCE):
            return [str(self._path(given))]
        name, version = _named(str(given))
        return [Model(workspace, name=name, version=None if version is None else int(version))]

    def inference_config(self, workspace: Workspace) -> InferenceConfig | None:
        code = self.get("code_configuration")
        if code is None:
            return None
        return InferenceConfig(
            code["scoring_script"],
            source_directory=str(self._path(code.get("code", "."))),
            environment=self._environment(workspace),
        )

    def _environment(self, workspace: Workspace) -> Environment | None:
        given = self.get("environment")
        if given is None:
            return None
        if isinstance(given, str):
            name, version = _named(given)
            return Environment.get(workspace, name, version)
        environment = Environment(str(given.get("name") or f"{self.name}-env"))
        conda = given.get("conda_file")
        if isinstance(conda, str):
            file = self._path(conda)
            environment = Environment.from_conda_specification(environment.name, file)
        elif conda is not None:
            environment.python.conda_dependencies = CondaDependencies(_underlying_structure=conda)
        environment.docker.base_image = given.get("image")
        return environment

    def configuration(self) -> dict[str, Any]:
        """The parameters of a version's deployment configuration."""
        scale = self.get("scale_settings") or {}
        without = {key: self.get(key) for key in _WITHOUT_EFFECT}
        without["scale_settings.polling_interval"] = scale.get("polling_interval")
        notices.ignored(str(self.file), without, "it is of a cloud")
        given = {key: self.get(key) for key in ("description", "tags", "properties")}
        for key, names in (("request_settings", _REQUESTS), ("liveness_probe", _PROBE)):
            found = self.get(key) or {}
            given.update({name: found.get(source) for source, name in names.items()})
        if scale.get("type") == "target_utilization":
            given["autoscale_enabled"] = True
            given.update({name: scale.get(source) for source, name in _SCALE.items()})
        elif self.get("instance_count") is not None:
            given["num_replicas"] = int(self.get("instance_count"))
        return {name: value for name, value in given.items() if value is not None}

    def variables(self) -> dict[str, str]:
        return {str(name): str(value) for name, value in (self.get("environment_variables") or {}).items()}

    def _path(self, given: str) -> Path:
        return (self.file.parent / given).resolve()


def deploy(workspace: Workspace, files: Sequence[Path]) -> AksEndpoint:
    """Creates or changes the endpoint and the deployments that the files describe, each until it serves.

    A new deployment gets no requests before the endpoint's `traffic` gives it some, but for the first one.
    """
    manifests = [Manifest(file) for file in files]
    deployments = [manifest for manifest in manifests if manifest.is_deployment]
    endpoints = [manifest for manifest in manifests if not manifest.is_deployment]
    named = {str(manifest.get("endpoint_name") or "") for manifest in deployments} - {""}
    named |= {manifest.name for manifest in endpoints}
    if len(named) != 1:
        raise UserErrorException(
            f"The files must be of one endpoint, not of {', '.join(sorted(named)) or 'none'}: "
            "name it with endpoint_name in a deployment, or give its endpoint.yml too.",
            code="FileInvalid",
        )
    name = named.pop()
    about = endpoints[0] if endpoints else None
    for manifest in deployments:
        _deploy_version(workspace, name, manifest, about)
    endpoint = _existing(workspace, name)
    if endpoint is None:
        raise UserErrorException(
            f"The endpoint {name!r} has no deployment yet: give a deployment.yml with its endpoint.yml.",
            code="FileInvalid",
        )
    if about is not None:
        _change(endpoint, about)
    return endpoint


def _deploy_version(workspace: Workspace, name: str, manifest: Manifest, about: Manifest | None) -> None:
    endpoint = _existing(workspace, name)
    models, config = manifest.models(workspace), manifest.inference_config(workspace)
    given, variables = manifest.configuration(), manifest.variables()
    if endpoint is None:
        first = AksEndpoint.deploy_configuration(version_name=manifest.name, **_access(about), **given)
        first.environment_variables = variables
        endpoint = Model.deploy(workspace, name, models, config, first)  # type: ignore[assignment]
    else:
        known = manifest.name in endpoint.versions
        change = endpoint.update_version if known else endpoint.create_version
        change(
            manifest.name,
            models=models,
            inference_config=config,
            environment_variables=variables,
            **given,
        )
    assert endpoint is not None
    endpoint.wait_for_deployment(show_output=True)


def _access(about: Manifest | None) -> dict[str, Any]:
    mode = about.get("auth_mode") if about else None
    if mode in (None, "key"):
        return {}
    return {"token_auth_enabled": True}


def _change(endpoint: AksEndpoint, about: Manifest) -> None:
    changes = {key: about.get(key) for key in ("description", "tags") if about.get(key) is not None}
    if changes:
        endpoint.update(**changes)
    traffic = about.get("traffic")
    if traffic:
        shares = {str(version): int(share) for version, share in traffic.items()}
        endpoint.set_traffic(shares, default=max(shares, key=lambda version: shares[version]))


def _existing(workspace: Workspace, name: str) -> AksEndpoint | None:
    try:
        found = Webservice(workspace, name)
    except WebserviceException as error:
        if error.code != "WebserviceNotFound":
            raise
        return None
    if not isinstance(found, AksEndpoint):
        raise WebserviceException(
            f"{name} is a service, not an endpoint: delete it first, or choose another name.",
            code="KindWrong",
        )
    return found


def _named(reference: str) -> tuple[str, str | None]:
    """ "azureml:name:1" and "azureml:name@latest"."""
    name, _, version = reference.removeprefix(_REFERENCE).removesuffix("@latest").partition(":")
    return name, version or None


def _read(file: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe").load(file.read_text(encoding="utf-8-sig"))
    except (OSError, YAMLError) as error:
        raise UserErrorException(f"{file} is not readable YAML: {error}.", code="FileInvalid") from error
    if not isinstance(content, dict):
        raise UserErrorException(f"{file} is no mapping of YAML.", code="FileInvalid")
    return content
