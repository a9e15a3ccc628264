"""Sends a scoring request, and repeats only what cannot have run twice."""

from __future__ import annotations

import time
from typing import Any

import httpx

from estiva.errors import WebserviceException
from estiva.records import Certificate
from estiva.sdk import tls
from estiva_server import contract

_RETRIES = 3
_LONGEST_PAUSE_SECONDS = 10.0
_GRACE_SECONDS = 70.0
"""A request may wait for a minute before it is run, if the service is scaled to zero."""
_UNAVAILABLE = 503


def score(
    uri: str,
    data: str | bytes,
    *,
    timeout_ms: int,
    headers: dict[str, str] | None = None,
    certificate: Certificate | None = None,
) -> Any:
    """The JSON that run() answered with. `uri` leads there; `certificate` is the one that must answer.

    A refused connection and a 503 with `Retry-After` (the request waited, and was never run) are tried
    again, up to three more times; a 502 or a 504 never, or a failing run() would execute four times.

    Raises WebserviceException with `status_code`, `body` and `request_id`.
    """
    content = _encoded(data)
    sent = {"Content-Type": "application/json", "Accept": "application/json", **(headers or {})}
    timeout = timeout_ms / 1000 + _GRACE_SECONDS
    with httpx.Client(timeout=timeout, trust_env=False, verify=tls.trust(certificate)) as http:
        request = http.build_request("POST", uri, content=content, headers=sent)
        if certificate:
            request.headers["Host"] = f"{certificate.name}:{request.url.port}"
            request.extensions["sni_hostname"] = certificate.name
        response = _send(http, request)
    if response.status_code != httpx.codes.OK:
        raise refused(uri, response)
    return response.json()


def _encoded(data: object) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, bytes):
        return data
    raise WebserviceException(
        f"run() sends text or bytes as they are, and was given {type(data).__name__}. Say how it is to be "
        "written: service.run(json.dumps(data)).",
        code="DataInvalid",
    )


def _send(http: httpx.Client, request: httpx.Request) -> httpx.Response:
    for attempt in range(_RETRIES):
        response = _post(http, request)
        if response is not None and not _was_never_run(response):
            return response
        time.sleep(_pause(response, attempt))
    response = _post(http, request)
    if response is None:
        raise WebserviceException(
            f"Nothing listens at {request.url}. Look at service.state and service.get_logs().",
            code="ServiceUnreachable",
        )
    return response


def _post(http: httpx.Client, request: httpx.Request) -> httpx.Response | None:
    """The answer; None if the connection was refused, so that nothing can have run."""
    try:
        return http.send(request)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        doubt = tls.doubt(error)
        if doubt is None:
            return None
        raise WebserviceException(
            f"The TLS certificate that answers at {request.url} is not accepted: {doubt}. Nothing was sent. "
            "Renew it if it has ended; else see that nothing else listens at that port.",
            code="CertificateNotTrusted",
        ) from error
    except httpx.HTTPError as error:
        raise WebserviceException(
            f"The request to {request.url} broke off: {str(error) or type(error).__name__}. It may have run, "
            "so it was not repeated. Look at service.get_logs().",
            code="RequestBrokenOff",
        ) from error


def _was_never_run(response: httpx.Response) -> bool:
    return response.status_code == _UNAVAILABLE and "Retry-After" in response.headers


def _pause(response: httpx.Response | None, attempt: int) -> float:
    """Seconds to wait: what the service asks for, else twice as long each time; never long."""
    asked = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(asked) if asked.isdecimal() else 0.2 * 2**attempt, _LONGEST_PAUSE_SECONDS)


def refused(uri: str, response: httpx.Response) -> WebserviceException:
    request_id = response.headers.get(contract.REQUEST_ID_HEADER)
    where = f" under request id {request_id}" if request_id else ""
    return WebserviceException(
        f"Received a bad response from {uri}.\n"
        f"Response Code: {response.status_code}\n"
        f"Headers: {dict(response.headers)}\n"
        f"Content: {response.content[:2000]!r}\n"
        f"The service's log has more{where}: service.get_logs().",
        status_code=response.status_code,
        body=response.content,
        request_id=request_id,
        code="ScoringFailed",
    )
