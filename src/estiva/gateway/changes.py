"""What to tell a running HAProxy so that its servers become those of another configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from estiva.gateway.runtime import Key, Server


class Changes(NamedTuple):
    """`commands` must all succeed; `cleanup` may fail and is tried again next time."""

    commands: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()


def plan(wanted: Mapping[Key, str], served: Mapping[Key, str], known: Mapping[Key, Server]) -> Changes | None:
    """From what HAProxy knows, and what was last seen to be in force, to what is wanted.

    Additions come before removals, so that there is always somebody to answer. A server that goes gets no
    new request, and answers what it has; it is deleted in a later round when it is idle. "maint" does that,
    not "drain": of a drained server whose replica dies HAProxy says that it is down, and no more that it
    drains. A name that is used again, for what may be another address, is deleted first if it is idle; None
    means that it is not, and that this takes a reload.
    """
    present = wanted.keys() & known.keys()
    again = {key for key in present if not known[key].serving}
    if any(known[key].requests for key in again):
        return None
    if any(served.get(key) != wanted[key] for key in present - again):
        return None
    new = [key for key in wanted if key in again or key not in known]
    gone = {key: server for key, server in known.items() if key not in wanted}
    return Changes(
        commands=(
            *(f"del server {_path(key)}" for key in new if key in again),
            *(command for key in new for command in _add(key, wanted[key])),
            *(f"set server {_path(key)} state maint" for key, server in gone.items() if server.serving),
        ),
        cleanup=tuple(
            f"del server {_path(key)}"
            for key, server in gone.items()
            if not (server.serving or server.requests)
        ),
    )


def succeeded(command: str, answer: str) -> bool:
    """HAProxy says nothing when all is well, except that it has a new server, or one less."""
    said = {"add": "New server registered.", "del": "Server deleted."}
    return answer == said.get(command.split()[0], "")


def _add(key: Key, server: str) -> tuple[str, ...]:
    return tuple(
        f"{verb} {_path(key)}{rest}"
        for verb, rest in (("add server", f" {server}"), ("enable health", ""), ("enable server", ""))
    )


def _path(key: Key) -> str:
    return f"{key.pool}/{key.member}"
