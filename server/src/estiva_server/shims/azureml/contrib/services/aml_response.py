"""Stand-in for azureml.contrib.services.aml_response: importable, but raw HTTP is not served yet."""

from __future__ import annotations

from typing import Any


class AMLResponse:
    def __init__(
        self, message: Any, status_code: int, response_headers: Any = None, json_str: bool = False
    ) -> None:
        raise NotImplementedError(
            "AMLResponse belongs to @rawhttp, which this release of estiva-server does not serve. "
            "Return what JSON can hold from run(data) instead."
        )
