"""Stand-in for azureml.contrib.services.aml_request: importable, but raw HTTP is not served yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn


class AMLRequest:
    """The type of a raw request, for annotations."""


def rawhttp(function: Callable[..., Any]) -> NoReturn:
    raise NotImplementedError(
        f"{function.__name__}() is decorated with @rawhttp, which this release of estiva-server does not "
        "serve. Take the request's body as the parameter of run(data) instead."
    )
