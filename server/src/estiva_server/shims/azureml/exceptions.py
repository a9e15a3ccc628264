"""Stand-in for azureml.exceptions. Siblings here are siblings there."""

from __future__ import annotations

from typing import Any


class AzureMLException(Exception):  # noqa: N818  the original's name
    def __init__(
        self, exception_message: str, inner_exception: BaseException | None = None, **_: Any
    ) -> None:
        super().__init__(exception_message)
        self.message = exception_message
        self.inner_exception = inner_exception


class WebserviceException(AzureMLException):
    def __init__(self, exception_message: str, status_code: int | None = None, **kwargs: Any) -> None:
        super().__init__(exception_message, **kwargs)
        self.status_code = status_code


class ModelNotFoundException(AzureMLException):
    pass


class UserErrorException(AzureMLException):
    pass
