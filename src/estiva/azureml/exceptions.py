"""azureml.exceptions: the exceptions of SDK v1, siblings where they are siblings there."""

from __future__ import annotations

import json
from typing import Any

from estiva.errors import (
    AuthenticationException,
    ComputeTargetException,
    EstivaError,
    ModelNotFoundException,
    ModelPathNotFoundException,
    ProjectSystemException,
    RunEnvironmentException,
    UserErrorException,
    WebserviceException,
    WorkspaceException,
)

__all__ = [
    "ActivityCanceledException",
    "ActivityFailedException",
    "AuthenticationException",
    "AzureMLException",
    "ComputeTargetException",
    "DatasetTimestampMissingError",
    "DiscoveryUrlNotFoundException",
    "ExperimentExecutionException",
    "ModelNotFoundException",
    "ModelPathNotFoundException",
    "ParallelRunException",
    "ProjectSystemException",
    "RunConfigurationException",
    "RunEnvironmentException",
    "SnapshotException",
    "TrainingException",
    "UserErrorException",
    "WebserviceException",
    "WorkspaceException",
    "WorkspacePrivateEndpointException",
]

AzureMLException = EstivaError


class TrainingException(EstivaError):
    code = "Training"


class ExperimentExecutionException(EstivaError):
    code = "ExperimentExecution"


class SnapshotException(EstivaError):
    code = "Snapshot"


class RunConfigurationException(EstivaError):
    code = "RunConfiguration"


class DatasetTimestampMissingError(EstivaError):
    code = "DatasetTimestampMissing"

    def __init__(self, error_details: str, **kwargs: Any) -> None:
        super().__init__(error_details, **kwargs)


class WorkspacePrivateEndpointException(WorkspaceException):
    code = "WorkspacePrivateEndpoint"


class DiscoveryUrlNotFoundException(EstivaError):
    code = "DiscoveryUrlNotFound"

    def __init__(self, discovery_key: str, **kwargs: Any) -> None:
        super().__init__(f"No address is known for {discovery_key}.", **kwargs)


class ActivityFailedException(EstivaError):
    code = "ActivityFailed"

    def __init__(self, error_details: object, **kwargs: Any) -> None:
        super().__init__(f"The activity failed: {error_details}", **kwargs)


class ActivityCanceledException(EstivaError):
    code = "ActivityCanceled"

    def __init__(self, cancellation_source: str | None = None, **kwargs: Any) -> None:
        super().__init__(f"The activity was cancelled ({cancellation_source or 'by the user'}).", **kwargs)


class ParallelRunException(EstivaError):
    code = "ParallelRun"

    def __init__(
        self, exception_message: str, code: str | None = None, delay_seconds: float = 0, **kwargs: Any
    ) -> None:
        super().__init__(exception_message, code=code, **kwargs)
        self.delay_seconds = delay_seconds


def show_structure() -> None:
    """From now on str() of an exception has the lines that scripts for SDK v1 look for."""
    EstivaError.__str__ = structured  # type: ignore[method-assign]


def structured(error: EstivaError) -> str:
    """Class, message, inner exception, and a response as JSON: its message is the first line of the whole."""
    first = error.message.strip().partition("\n")[0]
    response = json.dumps({"error": {"code": error.code, "message": first}}, indent=4)
    return (
        f"{type(error).__name__}:\n\tMessage: {error.message}\n\tInnerException {error.inner_exception}\n"
        f"\tErrorResponse \n{response}"
    )
