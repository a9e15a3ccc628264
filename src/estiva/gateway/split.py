"""Which version of a route answers a request, as rules of a frontend. Pure.

The split is exact: a counter numbers the requests of a route, and of any hundred in a row each version gets
its percentage. The numbers are spread (61 has no divisor in common with 100), so that a version's share does
not come in one piece. A sticky header's value takes the place of the number.
"""

from __future__ import annotations

from collections.abc import Iterator

from estiva.gateway.answers import name, refuse
from estiva.records import VERSION_HEADER, Route

_TABLE = "split"
_SPREAD = 61


def table(routes: int) -> str:
    """A backend without servers, for the counters."""
    return f"backend {_TABLE}\n    stick-table type string len 160 size {max(1024, routes)} store gpc0\n"


def number(route: Route, condition: str = "") -> str:
    """Rules that number a request; `condition` tells the route's requests from others of the frontend."""
    if route.kind == "service":
        return ""
    named = f"{{ req.hdr({VERSION_HEADER}) -m found }}"
    known = "".join(f" !{_names(version.name)}" for version in route.versions)
    unknown = f"There is no such version of {name(route)} as {VERSION_HEADER} names."
    lines = refuse(404, unknown, f"{condition} {named}{known}".strip())
    if len(route.versions) == 1:
        return lines
    sticky = f"{{ req.hdr({route.sticky_header}) -m found }}" if route.sticky_header else ""
    counted = _when(condition, f"!{named}", f"!{sticky}" if sticky else "")
    lines += (
        f"    http-request track-sc0 str({route.id}) table {_TABLE}{counted}\n"
        f"    http-request set-var(txn.number) sc_inc_gpc0(0),mul({_SPREAD}),mod(100){counted}\n"
    )
    if sticky:
        value = f"req.hdr({route.sticky_header}),xxh32,mod(100)"
        lines += f"    http-request set-var(txn.number) {value}{_when(condition, sticky)}\n"
    return lines


def switch(route: Route, condition: str = "") -> str:
    """Rules that send a numbered request to a version's pool."""
    lines = ""
    if len(route.versions) > 1:
        for version in route.versions:
            lines += f"    use_backend {route.pool(version.name)}{_when(condition, _names(version.name))}\n"
        for taker, share in _shares(route):
            lines += f"    use_backend {route.pool(taker)}{_when(condition, share)}\n"
    return lines + f"    use_backend {route.pool(route.default.name)}{_when(condition)}\n"


def _shares(route: Route) -> Iterator[tuple[str, str]]:
    """Each version but the default one, with the numbers that are its own."""
    first = 0
    for version in route.versions:
        if version.weight and version is not route.default:
            last = first + version.weight
            yield (
                version.name,
                f"{{ var(txn.number) -m int ge {first} }} {{ var(txn.number) -m int lt {last} }}",
            )
            first = last


def _names(version: str) -> str:
    return f"{{ req.hdr({VERSION_HEADER}) -m str {version} }}"


def _when(*conditions: str) -> str:
    needed = " ".join(filter(None, conditions))
    return f" if {needed}" if needed else ""
