"""Copies of requests for a version whose answers nobody sees, as lines of HAProxy's configuration. Pure.

HAProxy has no directive for it: a few lines of Lua send the copy, from within HAProxy and beside the request.
It arrives at a socket of the gateway's own, and goes from there to the version's pool, as any request does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from estiva.records import Route, Version

LUA = Path(__file__).with_name("mirror.lua")
"""To be put into HAProxy's working directory."""
_BUFFER_BYTES = 64 * 1024
_HEADER = "x-estiva-mirror"


def settings(routes: Sequence[Route]) -> str:
    """Lines of the section `global`, if any version gets copies. A body is copied if a buffer holds it."""
    return f"    lua-load {LUA.name}\n    tune.bufsize {_BUFFER_BYTES}\n" if _any(routes) else ""


def frontend(routes: Sequence[Route], log_format: str, id_header: str) -> str:
    """Where copies arrive. Whoever they are of was let in already."""
    if not _any(routes):
        return ""
    return f"""\
frontend mirror
    bind unix@mirror.sock mode 600
    log-format '{log_format}'
    http-request set-var(txn.id) req.fhdr({id_header})
    http-request set-var(txn.allowed) bool(true)
    http-request set-var(txn.pool) req.hdr({_HEADER})
    http-request del-header {_HEADER}
    use_backend %[var(txn.pool)]
"""


def copies(route: Route, version: Version) -> str:
    """Rules of a version's pool that send copies of its scoring requests to the mirrors beside it."""
    return "".join(
        f"    http-request lua.mirror {route.pool(mirror.name)} if METH_POST {{ path /score }} "
        f"!{{ fe_name mirror }} {{ rand(100) lt {mirror.mirror} }}\n"
        for mirror in route.versions
        if mirror.mirror and mirror is not version
    )


def _any(routes: Sequence[Route]) -> bool:
    return any(version.mirror for route in routes for version in route.versions)
