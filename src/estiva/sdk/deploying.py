"""From the user's objects to a deployment request."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from estiva.errors import UserErrorException, WebserviceException
from estiva.messages import DeploymentRequest, ModelReference, ServiceView
from estiva.records import ServiceSettings
from estiva.sdk.arguments import existing_path, labels, parse_id
from estiva.sdk.configuration import WebserviceDeploymentConfiguration
from estiva.sdk.connection import address, connect
from estiva.sdk.endpoint import first_version
from estiva.sdk.endpoint_configuration import EndpointDeploymentConfiguration
from estiva.sdk.environment import Environment
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration
from estiva.sdk.model import Model
from estiva.sdk.webservice import Webservice
from estiva.sdk.workspace import Workspace
from estiva_server import contract

Deployable = Model | ModelReference | str | os.PathLike[str]


def deploy(
    workspace: Workspace,
    name: str,
    models: Sequence[Deployable],
    inference_config: InferenceConfig | None,
    deployment_config: WebserviceDeploymentConfiguration | None,
    deployment_target: Any,
    overwrite: bool,
    show_output: bool,
    environment: Environment | None = None,
) -> Webservice:
    if inference_config is not None and environment is not None:
        raise UserErrorException(
            "Give the environment in the inference configuration: environment=... is for a model that is "
            "deployed without one.",
            code="EnvironmentTwice",
        )
    if deployment_target not in (None, "local", "docker"):
        raise WebserviceException(
            f"There is no compute target {deployment_target!r}: leave deployment_target out, or say "
            '"local", to deploy on this machine, or "docker", to deploy into containers.',
            code="ComputeTargetNotFound",
        )
    configuration = deployment_config or LocalWebserviceDeploymentConfiguration()
    body = request(models, inference_config, configuration, environment)
    body = body.model_copy(update={"overwrite": overwrite, "settings": _placed(body, deployment_target)})
    answer = _put(workspace, name, configuration, body)
    service = Webservice(workspace, name, _view=ServiceView.model_validate(answer))
    if show_output:
        _print_deployment(service, body)
        configuration.print_deploy_configuration()
    return service


def _placed(body: DeploymentRequest, target: str | None) -> ServiceSettings | None:
    """The settings, in containers if that is the target."""
    if target != "docker" or body.settings is None:
        return body.settings
    return body.settings.model_copy(update={"runtime": "docker"})


def _put(
    workspace: Workspace,
    name: str,
    configuration: WebserviceDeploymentConfiguration,
    body: DeploymentRequest,
) -> Any:
    if isinstance(configuration, EndpointDeploymentConfiguration):
        place = address("workspaces", workspace.name, "endpoints", name)
        return connect().request("PUT", place, body=first_version(configuration, name, body).body())
    place = address("workspaces", workspace.name, "services", name)
    return connect().request("PUT", place, body=body.body())


def request(
    models: Sequence[Deployable] | None,
    inference_config: InferenceConfig | None,
    deployment_config: WebserviceDeploymentConfiguration | None,
    environment: Environment | None = None,
) -> DeploymentRequest:
    """What is given, as one request; parts that are None stay out of it.

    `environment` is that of a model without an inference configuration.
    """
    config, environment = deployment_config, inference_config.environment if inference_config else environment
    return DeploymentRequest(
        kind=config.kind if config else None,
        models=None if models is None else tuple(reference(model) for model in models),
        entry_script=str(inference_config.entry_path.absolute()) if inference_config else None,
        source_directory=inference_config.source_directory if inference_config else None,
        environment=environment.to_specification() if environment else None,
        environment_version=environment.version if environment else None,
        interpreter=sys.executable,
        settings=config.settings() if config else None,
        publication=config.publication() if config else None,
        scaling=config.scaling() if config else None,
        variables=_variables(config),
        secrets=_hidden(_texts(config, "secrets")),
        description=config.description if config else None,
        tags=_texts(config, "tags"),
        properties=_texts(config, "properties"),
    )


def _texts(config: WebserviceDeploymentConfiguration | None, name: str) -> dict[str, str] | None:
    """Scripts give numbers, too; everything travels as text. None leaves it as it is."""
    given = getattr(config, name, None)
    return None if given is None else labels(given, name)


def _variables(config: WebserviceDeploymentConfiguration | None) -> dict[str, str] | None:
    """Whether the score script's ModelDataCollector collects is one of them."""
    if config is None:
        return None
    wanted = getattr(config, "collect_model_data", None)
    collection = {} if wanted is None else {contract.COLLECTION_VARIABLE: str(bool(wanted)).lower()}
    return {**labels(config.environment_variables, "environment_variables"), **collection}


def _hidden(secrets: dict[str, str] | None) -> dict[str, SecretStr] | None:
    return None if secrets is None else {name: SecretStr(value) for name, value in secrets.items()}


def reference(model: Deployable) -> ModelReference:
    """A Model object, a "name:version" id, or a path; an existing path wins over what looks like an id."""
    if isinstance(model, ModelReference):
        return model
    if isinstance(model, Model):
        return ModelReference(name=model.name, version=model.version)
    text = os.fspath(model)
    if not Path(text).exists() and ":" in text:
        name, version = parse_id(text)
        return ModelReference(name=name, version=version)
    return ModelReference(path=str(existing_path(text)))


def _print_deployment(service: Webservice, body: DeploymentRequest) -> None:
    script = body.entry_script or f"none: Estiva's own script serves the model ({service.framework})"
    environment = body.environment.name if body.environment else None
    default = "the packages that run now" if body.entry_script else "chosen for the model"
    place = "a container" if service.runtime == "docker" else "a process on this machine"
    print(f"Deploying {service.name} as {place}")
    print(f"  models        {', '.join(service.model_ids) or 'none'}")
    print(f"  entry script  {script}")
    print(f"  environment   {environment or default}")
    print("Call wait_for_deployment(show_output=True) to follow it.")
