"""What the gateway itself answers, as lines of HAProxy's configuration. Pure."""

from __future__ import annotations

import json

from estiva.records import Route, Version
from estiva_server.contract import RUN_FAILED_HEADER

JSON = "content-type application/json"


def message(text: str) -> str:
    return json.dumps({"message": text})


def refuse(status: int, text: str, condition: str, header: str = "") -> str:
    """A rule that answers instead of a replica."""
    extra = f" hdr {header}" if header else ""
    return f"    http-request return status {status} {JSON} string '{message(text)}'{extra} if {condition}\n"


def defaults() -> str:
    """For requests that no version is responsible for."""
    texts = {
        400: "This is not an HTTP request that can be understood.",
        408: "The request did not arrive in time.",
        500: "The gateway could not handle the request.",
    }
    return "".join(
        f"    http-error status {n} {JSON} string '{message(text)}'\n" for n, text in texts.items()
    )


def failures(route: Route, version: Version) -> str:
    """For requests that a version could not answer."""
    who = name(route, version)
    died = message(f"The replica of {who} that had the request ended before it answered. See its logs.")
    late = message(
        f"{who[0].upper()}{who[1:]} did not answer within {version.timeout_ms} ms, its scoring timeout."
    )
    return f"""\
    http-error status 502 {JSON} string '{died}' hdr {RUN_FAILED_HEADER} True
    http-error status 503 {JSON} lf-string '{_busy(route, version)}' hdr Retry-After 1
    http-error status 504 {JSON} string '{late}'
"""


def name(route: Route, version: Version | None = None) -> str:
    """ "service sum", "endpoint churn", "version b of endpoint churn"."""
    of = f"version {version.name} of " if version and len(route.versions) > 1 else ""
    return f"{of}{route.kind} {route.name}"


def _busy(route: Route, version: Version) -> str:
    """A log-format string; what is in brackets is evaluated when the answer is made."""
    pool = route.pool(version.name)
    replicas, queue = f"%[nbsrv({pool})]", f"%[queue({pool})]"
    held = f" ({version.hold_ms} ms while there is none)" if version.hold_ms else ""
    text = (
        f"No replica of {name(route, version)} could take the request within {version.wait_ms} ms{held}. It "
        f"has {replicas} for {version.concurrency} at a time each, and {queue} more wait. Try again, or add "
        "replicas."
    )
    return (
        f'{{"message": "{text}", "{route.kind}": "{route.name}", "limit": {version.concurrency}, '
        f'"queue": {queue}, "replicas": {replicas}}}'
    )
