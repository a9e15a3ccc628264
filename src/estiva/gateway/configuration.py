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
- A request goes on when its body is complete, or as much of it as a buffer holds (`wait-for-body`): one that
  trickles in would keep a replica's place meanwhile. What is refused anyway does not wait for its body.
- `noreuseport`: two HAProxy of one user could otherwise share a port without either noticing.
- After a reload the old process answers what it has begun, and one more request on each idle connection
  (`idle-close-on-response`), for as long as idle connections live. `hard-stop-after` is the bound of it all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from estiva.gateway import access, answers, frontends, mirroring, split, validation
from estiva.gateway.runtime import HOLD, Key
from estiva.records import Listener, Member, Probe, Route, Version
from estiva_server.contract import HEALTH_PATH, REQUEST_ID_HEADER

GRACE_MS = 65
"""The server's own deadline fires first; this much later the gateway's, for a replica that cannot answer.

Its supervisor has taken it out of service by then, so that the next request finds another worker.
"""
IDLE_MS = 10_000
"""How long a client's connection may be idle: an old process lives this long after a reload at least."""
_REQUEST_MS = 10_000
"""How long a request may take to arrive: its head, and then its body or the first 16 kB of it."""
_REST_MS = 5_000
_AGAIN_SECONDS = 0.5
"""How soon a replica that has failed is asked again, until it is clear how it stands and while it is out."""
_CONNECT_MS = 300
_NOBODY = "127.0.0.1:1"

_DESCRIPTION = "    description "
_SERVER = "    server "


def build(routes: Sequence[Route], shared: Listener | None = None, threads: int = 1) -> str:
    """The configuration that serves `routes`, in the order of their ids; `shared` is the workspace's port.

    Raises GatewayException, code "InvalidRoute", for a value that could break out of its line, and for
    two routes with one name or port.
    """
    ordered = sorted(routes, key=lambda route: route.id)
    validation.check(ordered, shared)
    digest = hashlib.sha256(_text([_empty(route) for route in ordered], shared, threads, "").encode())
    return _text(ordered, shared, threads, digest.hexdigest()[:32])


def shape(text: str) -> str:
    """Digest of everything in a configuration but its servers."""
    return next((x.removeprefix(_DESCRIPTION) for x in text.splitlines() if x.startswith(_DESCRIPTION)), "")


def listeners(text: str) -> set[tuple[str, int]]:
    """The (host, port) that a configuration binds."""
    binds = (
        line.removeprefix(frontends.BIND).split()[0]
        for line in text.splitlines()
        if line.startswith(frontends.BIND) and not line.startswith(f"{frontends.BIND}unix@")
    )
    parts = (bind.rpartition(":") for bind in binds)
    return {(host.strip("[]"), int(port)) for host, _, port in parts}


def servers(text: str) -> dict[Key, str]:
    """The members of a configuration's pools, each with what follows its name: address and limits."""
    found = {}
    section = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line.rpartition(" ")[2]
        elif line.startswith(_SERVER):
            name, _, rest = line.removeprefix(_SERVER).partition(" ")
            if name == HOLD:
                continue
            found[Key(section, name)] = rest
    return found


def _empty(route: Route) -> Route:
    versions = tuple(version.model_copy(update={"members": ()}) for version in route.versions)
    return route.model_copy(update={"versions": versions})


def _text(routes: Sequence[Route], shared: Listener | None, threads: int, digest: str) -> str:
    parts = [_global(routes, threads, digest), _defaults(), split.table(len(routes))]
    if shared:
        parts.append(frontends.shared(shared, routes))
    if mirror := mirroring.frontend(routes, frontends.LOG, REQUEST_ID_HEADER):
        parts.append(mirror)
    for route in routes:
        if route.listener:
            parts.append(frontends.own(route, route.listener))
        parts += [_backend(route, version) for version in route.versions]
    return "\n".join(parts)


def _global(routes: Sequence[Route], threads: int, digest: str) -> str:
    versions = [version for route in routes for version in route.versions]
    longest = max((version.hold_ms + version.wait_ms + version.timeout_ms for version in versions), default=0)
    return f"""\
global
{_DESCRIPTION}{digest}
    nbthread {threads}
    noreuseport
    fd-hard-limit 16384
    hard-stop-after {_REQUEST_MS + longest + GRACE_MS + IDLE_MS + _REST_MS}ms
    ssl-default-bind-options ssl-min-ver TLSv1.2
{mirroring.settings(routes)}"""


def _defaults() -> str:
    return f"""\
defaults
    mode http
    log stdout len 4096 format raw local0
    option http-server-close
    option idle-close-on-response
    option redispatch 1
    retries 3
    timeout connect {_CONNECT_MS}ms
    timeout client 60s
    timeout http-request {_REQUEST_MS}ms
    timeout http-keep-alive {IDLE_MS}ms
    unique-id-format %[uuid()]
{answers.defaults()}"""


def _backend(route: Route, version: Version) -> str:
    large = (
        f"The body of the request is larger than {version.body_limit} bytes, "
        f"the limit of {answers.name(route, version)}."
    )
    lines = "".join(f"{_SERVER}{m.name} {server(m, version)}\n" for m in version.members)
    return (
        f"backend {route.pool(version.name)}\n"
        + access.rules(route)
        + answers.refuse(413, large, f"{{ req.body_size gt {version.body_limit} }}")
        + f"""\
    http-request wait-for-body time {_REQUEST_MS}ms
{mirroring.copies(route, version)}\
    balance leastconn
    option httpchk GET {HEALTH_PATH}
    timeout check {_ms(version.probe.timeout_seconds)}
    timeout queue {max(1, version.wait_ms)}ms
    timeout server {version.timeout_ms + GRACE_MS}ms
"""
        + answers.failures(route, version)
        + (_hold(version.hold_ms) if version.hold_ms else "")
        + lines
    )


def _hold(milliseconds: int) -> str:
    """A backup server, which is tried when there is no replica, at an address where nobody is.

    Each retry waits as long as a connection may take, then looks for a replica that was added meanwhile.
    After a reload there is none to find: the old process, where the request waits, learns of no new servers.
    """
    retries = -(-milliseconds // _CONNECT_MS)
    return f"    retries {retries}\n{_SERVER}{HOLD} {_NOBODY} backup\n"


def server(member: Member, version: Version) -> str:
    """What follows a member's name, in the configuration and in the command that adds it."""
    kind, _, path = member.address.partition(":")
    address = "unix@" + path.replace(" ", "\\ ") if kind == "unix" else member.address
    return f"{address} maxconn {version.concurrency} {_check(version.probe)}"


def _check(probe: Probe) -> str:
    again = _ms(min(probe.period_seconds, _AGAIN_SECONDS))
    return (
        f"check inter {_ms(probe.period_seconds)} fastinter {again} downinter {again} "
        f"fall {probe.failure_threshold} rise {probe.success_threshold}"
    )


def _ms(seconds: float) -> str:
    return f"{max(1, round(1000 * seconds))}ms"
