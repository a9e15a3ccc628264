"""Every exception that Estiva raises.

EstivaError
├── UserErrorException              what the caller gave cannot be accepted
│   └── AuthenticationException     credentials are missing or wrong
├── WebserviceException             a service, or what it is made of
│   └── MissingModelPath            also a FileNotFoundError
├── ModelNotFoundException          no such model where a score script looked
├── ModelPathNotFoundException      a model without its files
├── EnvironmentException            a specification that cannot be resolved or built
├── ImageException                  an image that cannot be built, pushed or pulled
├── RegistryException               stored state: damaged, full, or newer than this release
├── TargetException                 a place where replicas run did not do what was asked
├── ComputeTargetException          an attached compute target
├── GatewayException                the proxy in front of the replicas
├── ControlServerException          the control server cannot be started or reached
├── WorkspaceException              no such workspace, or more than one
├── RunEnvironmentException         the machine lacks what is needed
└── ProjectSystemException          project files cannot be read or written

An error is a sentence for the user (what happened, why, what to do), a stable code, and detail for the log.
The names are those that scripts written for Azure ML SDK v1 catch; siblings there are siblings here.
"""

from __future__ import annotations

from typing import Any


class EstivaError(Exception):
    """Base of all: `message` for the user, `code` for programs, `detail` for the log."""

    code = "Error"

    def __init__(
        self, exception_message: str, *, code: str | None = None, detail: str = "", **kwargs: Any
    ) -> None:
        super().__init__(exception_message)
        self.message = exception_message
        self.code = code or type(self).code
        self.detail = detail
        self.inner_exception: BaseException | None = kwargs.get("inner_exception")

    def __str__(self) -> str:
        return self.message


class UserErrorException(EstivaError):
    code = "UserError"


class AuthenticationException(UserErrorException):
    code = "Authentication"


class WebserviceException(EstivaError):
    """`status_code`, `body` and `request_id` are those of a scoring request that failed, else None."""

    code = "WebserviceError"

    def __init__(
        self,
        exception_message: str,
        status_code: int | None = None,
        logger: Any = None,  # noqa: ARG002  existing scripts pass it
        *,
        body: bytes | None = None,
        request_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code
        self.body = body
        self.request_id = request_id


class MissingModelPath(WebserviceException, FileNotFoundError):
    """The path of a model to register or deploy does not exist; releases of SDK v1 raised either base."""

    code = "ModelPathNotFound"


class ModelNotFoundException(EstivaError):
    code = "ModelNotFound"


class ModelPathNotFoundException(EstivaError):
    code = "ModelPathNotFound"


class EnvironmentException(EstivaError):
    code = "EnvironmentFailed"


class ImageException(EstivaError):
    code = "ImageFailed"


class RegistryException(EstivaError):
    code = "RegistryFailed"


class TargetException(EstivaError):
    code = "TargetFailed"


class ComputeTargetException(EstivaError):
    code = "ComputeTargetFailed"


class GatewayException(EstivaError):
    code = "GatewayFailed"


class ControlServerException(EstivaError):
    code = "ControlServerFailed"


class WorkspaceException(EstivaError):
    code = "WorkspaceNotFound"

    def __init__(self, exception_message: str, found_multiple: bool = False, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.found_multiple = found_multiple


class RunEnvironmentException(EstivaError):
    code = "RunEnvironmentFailed"


class ProjectSystemException(EstivaError):
    code = "ProjectSystemFailed"


def _descendants(base: type[EstivaError]) -> list[type[EstivaError]]:
    return [base, *(found for child in base.__subclasses__() for found in _descendants(child))]


def named(name: str) -> type[EstivaError]:
    """The exception class of that name: how an error that travelled as JSON becomes an exception again."""
    return {kind.__name__: kind for kind in _descendants(EstivaError)}.get(name, EstivaError)
