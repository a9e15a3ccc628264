"""Routes -> the whole text of HAProxy's configuration, and back what the executor must know of such a text.

Why it says what it says, where that is not plain:

- The servers are the one part that changes without a reload, so `description` carries a digest of all the
  rest, the text's shape. A running HAProxy tells it on its socket: that is how it is recognized after the
  control server was killed.
- A server's connection carries one request (`http-server-close`). On a reused one HAProxy cannot tell a
  replica that died from an idle connection that timed out, and closes the client's without an answer. It is
  a Unix socket as a rule, and a new connection is cheap there.
- `option abortonclose` is not set: a client that leaves would free the slot of a `run()` that goes on, and
  the busiest replica would look the most idle. A request whose client left waits at most `timeout queue`.
- `noreuseport`: two HAProxy of one user could otherwise share a port without either noticing.
- After a reload the old process answers what it has begun, and one more request on each idle connection
  (`idle-close-on-response`), for as long as idle connections live. `hard-stop-after` is the bound of it all.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from estiva.errors import GatewayException
from estiva.gateway.runtime import Key
from estiva.records import Endpoint, Route
from estiva_server.contract import REQUEST_ID_HEADER, RUN_FAILED_HEADER

GRACE_MS = 1_000
"""The server's own deadline fires first; this much later the gateway's does."""
IDLE_MS = 10_000
"""How long a client's connection may be idle: an old process lives this long after a reload at least."""
_REST_MS = 5_000

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9.:-]+")
_PATH = re.compile(r"/[\w./@+=:~ -]*")
_JSON = "content-type application/json"
_DESCRIPTION = "    description "
_BIND = "    bind "
_SERVER = "    server "


def build(routes: Sequence[Route], threads: int = 1) -> str:
    """The configuration that serves `routes`, in the order of their names.

    Raises GatewayException, code "InvalidRoute", for a value that could break out of its line, and for
    two routes with one name or port.
    """
    ordered = sorted(routes, key=lambda route: route.service)
    for route in ordered:
        _check(route)
    _check_unique(ordered)
    empty = [route.model_copy(update={"endpoints": ()}) for route in ordered]
    digest = hashlib.sha256(_text(empty, threads, "").encode()).hexdigest()
    return _text(ordered, threads, digest[:32])


def shape(text: str) -> str:
    """Digest of everything in a configuration but its servers."""
    return next((x.removeprefix(_DESCRIPTION) for x in text.splitlines() if x.startswith(_DESCRIPTION)), "")


def listeners(text: str) -> set[tuple[str, int]]:
    """The (host, port) that a configuration binds."""
    binds = (line.removeprefix(_BIND) for line in text.splitlines() if line.startswith(_BIND))
    parts = (bind.rpartition(":") for bind in binds)
    return {(host.strip("[]"), int(port)) for host, _, port in parts}


def servers(text: str) -> dict[Key, str]:
    """The endpoints of a configuration, each with what follows its name: address and limits."""
    found = {}
    section = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line.rpartition(" ")[2]
        elif line.startswith(_SERVER):
            name, _, rest = line.removeprefix(_SERVER).partition(" ")
            found[Key(section, name)] = rest
    return found


def _text(routes: Sequence[Route], threads: int, digest: str) -> str:
    parts = [_global(routes, threads, digest), _defaults()]
    for route in routes:
        parts += [_frontend(route), _backend(route)]
    return "\n".join(parts)


def _global(routes: Sequence[Route], threads: int, digest: str) -> str:
    longest = max((route.wait_ms + route.timeout_ms for route in routes), default=0)
    return f"""\
global
{_DESCRIPTION}{digest}
    nbthread {threads}
    noreuseport
    fd-hard-limit 16384
    hard-stop-after {longest + GRACE_MS + IDLE_MS + _REST_MS}ms
"""


def _defaults() -> str:
    bad = _message("This is not an HTTP request that can be understood.")
    slow = _message("The request did not arrive in time.")
    internal = _message("The gateway could not handle the request.")
    return f"""\
defaults
    mode http
    option http-server-close
    option idle-close-on-response
    option redispatch 1
    retries 3
    timeout connect 300ms
    timeout client 60s
    timeout http-request 10s
    timeout http-keep-alive {IDLE_MS}ms
    unique-id-format %[uuid()]
    http-error status 400 {_JSON} string '{bad}'
    http-error status 408 {_JSON} string '{slow}'
    http-error status 500 {_JSON} string '{internal}'
"""


def _frontend(route: Route) -> str:
    header = REQUEST_ID_HEADER
    large = _message(
        f"The body of the request is larger than {route.body_limit} bytes, "
        f"the limit of service {route.service}."
    )
    host = f"[{route.host}]" if ":" in route.host else route.host
    return f"""\
frontend {route.service}
{_BIND}{host}:{route.port}
    http-request set-header {header} %[unique-id] unless {{ req.fhdr({header}) -m found }}
    http-request set-var(txn.id) req.fhdr({header})
    http-after-response set-header {header} %[var(txn.id)] if {{ var(txn.id) -m found }}
    http-request return status 413 {_JSON} string '{large}' if {{ req.body_size gt {route.body_limit} }}
    default_backend {route.service}
"""


def _backend(route: Route) -> str:
    name = route.service
    died = _message(
        f"The replica of service {name} that had the request ended before it answered. See its logs."
    )
    late = _message(f"Service {name} did not answer within {route.timeout_ms} ms, its scoring timeout.")
    lines = "".join(f"{_SERVER}{e.name} {server(e, route.concurrency)}\n" for e in route.endpoints)
    return f"""\
backend {name}
    balance leastconn
    timeout queue {max(1, route.wait_ms)}ms
    timeout server {route.timeout_ms + GRACE_MS}ms
    http-error status 502 {_JSON} string '{died}' hdr {RUN_FAILED_HEADER} True
    http-error status 503 {_JSON} lf-string '{_busy(route)}' hdr Retry-After 1
    http-error status 504 {_JSON} string '{late}'
{lines}"""


def server(endpoint: Endpoint, concurrency: int) -> str:
    """What follows an endpoint's name, in the configuration and in the command that adds it."""
    kind, _, path = endpoint.address.partition(":")
    address = "unix@" + path.replace(" ", "\\ ") if kind == "unix" else endpoint.address
    return f"{address} maxconn {concurrency}"


def _busy(route: Route) -> str:
    """A log-format string; what is in brackets is evaluated when the answer is made."""
    name = route.service
    replicas, queue = f"%[nbsrv({name})]", f"%[queue({name})]"
    text = (
        f"No replica of service {name} could take the request within {route.wait_ms} ms. It has {replicas} "
        f"for {route.concurrency} at a time each, and {queue} more wait. Try again, or add replicas."
    )
    return (
        f'{{"message": "{text}", "service": "{name}", "limit": {route.concurrency}, '
        f'"queue": {queue}, "replicas": {replicas}}}'
    )


def _message(text: str) -> str:
    return json.dumps({"message": text})


def _check(route: Route) -> None:
    _require(_NAME.fullmatch(route.service), "service name", route.service)
    _require(_HOST.fullmatch(route.host), "host", route.host)
    _require(0 < route.port < 65_536, "port", str(route.port))
    _require(route.concurrency > 0, "number of concurrent requests", str(route.concurrency))
    _require(route.timeout_ms > 0, "timeout", str(route.timeout_ms))
    for endpoint in route.endpoints:
        _require(_NAME.fullmatch(endpoint.name), "endpoint name", endpoint.name)
        kind, _, rest = endpoint.address.partition(":")
        valid = _PATH.fullmatch(rest) if kind == "unix" else _is_host_and_port(endpoint.address)
        _require(valid, "endpoint address", endpoint.address)


def _is_host_and_port(address: str) -> bool:
    host, _, port = address.rpartition(":")
    return bool(_HOST.fullmatch(host.strip("[]"))) and port.isdecimal() and 0 < int(port) < 65_536


def _check_unique(routes: Sequence[Route]) -> None:
    for what, values in (
        ("service", [route.service for route in routes]),
        ("address", [f"{route.host}:{route.port}" for route in routes]),
        ("endpoint", [f"{route.service}/{e.name}" for route in routes for e in route.endpoints]),
    ):
        twice = {value for value in values if values.count(value) > 1}
        _require(not twice, f"{what}, given twice", ", ".join(sorted(twice)))


def _require(valid: object, what: str, value: str) -> None:
    if not valid:
        raise GatewayException(f"The gateway cannot use this {what}: {value!r}.", code="InvalidRoute")
