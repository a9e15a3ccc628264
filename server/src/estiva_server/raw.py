"""Raw HTTP for score scripts: @rawhttp, AMLRequest and AMLResponse, over werkzeug.

werkzeug is the environment's: a deployment whose script uses this gets it, as does `estiva-server[raw]`.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

try:
    from werkzeug.wrappers import Request, Response
except ImportError as error:
    raise ImportError(
        "Raw HTTP (@rawhttp, AMLRequest, AMLResponse) needs werkzeug, which is not installed. "
        "Install it, or add it to the environment's pip packages."
    ) from error

from estiva_server import contract
from estiva_server.inputs import Scope
from estiva_server.script import RAW_MARK

__all__ = ["AMLRequest", "AMLResponse", "rawhttp"]

_Run = TypeVar("_Run", bound=Callable[..., Any])


def rawhttp(function: _Run) -> _Run:
    """Have run() called with the request itself, an AMLRequest, whatever its method and body."""
    setattr(function, RAW_MARK, True)
    return function


class AMLRequest(Request):
    """A request: `method`, `headers`, `args`, `get_data()`, `form`, `files`, `get_json()` and what else
    werkzeug's Request has."""


class AMLResponse(Response):
    """An answer that is sent as it is, whatever the kind of run().

    `message`: str, bytes, an iterable of them, which is streamed; None is an empty JSON object. With
    `json_str`, whatever JSON can hold.
    """

    default_mimetype = "text/html"

    def __init__(
        self,
        message: Any,
        status_code: int,
        response_headers: Mapping[str, str] | None = None,
        json_str: bool = False,
        run_function_failed: bool = False,
    ) -> None:
        if message is None or json_str:
            text = json.dumps({} if message is None else message)
            super().__init__(text, status=status_code, mimetype="application/json")
        else:
            super().__init__(message, status=status_code)
        if run_function_failed:
            self.headers[contract.RUN_FAILED_HEADER] = "True"
        for name, value in (response_headers or {}).items():
            self.headers[name] = value


def read_request(scope: Scope, body: bytes) -> AMLRequest:
    """The request, with its body, as run() gets it."""
    environment = {
        "SCRIPT_NAME": "",
        **scope,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.version": (1, 0),
    }
    return AMLRequest(environment)


def content(response: Response) -> bytes | Iterable[Any]:
    """The answer's body, or the parts of it as they come; the caller closes the response then."""
    return response.response if response.is_streamed else response.get_data()
