"""The published ports: what arrives there, and the pool that it goes to. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from estiva.gateway import split
from estiva.gateway.answers import refuse
from estiva.records import Listener, Route
from estiva_server.contract import METRICS_PATH, REQUEST_ID_HEADER

BIND = "    bind "

_PATH = r"^/api/v1/(service|endpoint)/[A-Za-z0-9._-]+/(score|swagger\.json)?$"
_METRICS = f"{{ path {METRICS_PATH} }} {{ src 127.0.0.0/8 ::1 }}"
"""They tell what services there are: for this machine only."""
LOG = ",".join(
    (
        '{"time":%Ts.%ms',
        '"id":"%[var(txn.id),json(utf8s)]"',
        '"kind":"%[be_name,field(1,:)]"',
        '"name":"%[be_name,field(2,:)]"',
        '"version":"%[be_name,field(3,:)]"',
        '"generation":"%[srv_name,field(1,-)]"',
        '"replica":"%[srv_name]"',
        '"method":"%HM"',
        '"status":%ST',
        '"queue_ms":%Tw',
        '"run_ms":%Tr',
        '"total_ms":%Ta',
        '"sent_bytes":%B',
        '"received_bytes":%U',
        '"end":"%ts"}',
    )
)


def own(route: Route, listener: Listener) -> str:
    """A port on which everything is for one route; the replica says what it does not have."""
    return _opening(route.id, listener) + split.number(route) + split.switch(route)


def shared(listener: Listener, routes: Sequence[Route]) -> str:
    """The workspace's port. What is not exactly a path of a known route is 404, and goes no further."""
    published = [route for route in routes if route.shared]
    known = " ".join(f"!{_is(route)}" for route in published)
    nothing = "There is nothing at this path. Scores are at /api/v1/service/NAME/score."
    lines = (
        _opening("shared", listener)
        + f"    http-request use-service prometheus-exporter if {_METRICS}\n"
        + refuse(404, nothing, f"!{{ path -m reg {_PATH} }}")
        + "    http-request set-var(txn.name) path,field(5,/)\n"
        + "    http-request set-var(txn.route) path,field(4,/),concat(:,txn.name)\n"
        + refuse(404, "There is no service or endpoint of this name here.", known or "TRUE")
        + "    http-request replace-path ^/api/v1/[^/]+/[^/]+(/.*) \\1\n"
    )
    lines += "".join(split.number(route, _is(route)) for route in published)
    return lines + "".join(split.switch(route, _is(route)) for route in published)


def _is(route: Route) -> str:
    return f"{{ var(txn.route) -m str {route.id} }}"


def _opening(name: str, listener: Listener) -> str:
    host = f"[{listener.host}]" if ":" in listener.host else listener.host
    tls = f' ssl crt "{listener.certificate}" alpn h2,http/1.1' if listener.certificate else ""
    header = REQUEST_ID_HEADER
    return f"""\
frontend {name}
{BIND}{host}:{listener.port}{tls}
    log-format '{LOG}'
    http-request set-header {header} %[unique-id] unless {{ req.fhdr({header}) -m found }}
    http-request set-var(txn.id) req.fhdr({header})
    http-after-response set-header {header} %[var(txn.id)] if {{ var(txn.id) -m found }}
"""
