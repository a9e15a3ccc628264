"""Runs init() and one run() of a score script in its environment, without deploying it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from estiva.messages import Progress, TrialRequest, TrialResult
from estiva.sdk.connection import address, connect
from estiva.sdk.deploying import request
from estiva.sdk.inference import InferenceConfig
from estiva.sdk.local import LocalWebserviceDeploymentConfiguration
from estiva.sdk.workspace import Workspace


def attempt(
    workspace: Workspace,
    models: Sequence[Any],
    inference_config: InferenceConfig,
    data: str,
    *,
    environment_variables: dict[str, str] | None = None,
    secrets: dict[str, str] | None = None,
    show: Callable[[str], None] = print,
) -> TrialResult:
    """The answer of run(data), with its status and the log.

    Raises WebserviceException, with the finding, if init() fails, EnvironmentException if the environment
    cannot be built.
    """
    configuration = LocalWebserviceDeploymentConfiguration(
        environment_variables=environment_variables, secrets=secrets
    )
    body = {**request(models, inference_config, configuration).body(), "data": data}
    wanted = TrialRequest.model_validate(body)

    def show_message(progress: Progress) -> None:
        show(progress.message)

    place = address("workspaces", workspace.name, "trial")
    found = connect().progress(place, body=wanted.body(), show=show_message)
    return TrialResult.model_validate(found)
