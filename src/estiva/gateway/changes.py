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
    drains. None means that this takes a reload: a name is used again, for what may be another address.
    """
    for key in wanted.keys() & known.keys():
        if served.get(key) != wanted[key] or not known[key].serving:
            return None
    commands = [command for key in wanted if key not in known for command in _add(key, wanted[key])]
    cleanup = []
    for key, server in known.items():
        if key in wanted:
            continue
        if server.serving:
            commands.append(f"set server {_path(key)} state maint")
        elif not server.requests:
            cleanup.append(f"del server {_path(key)}")
    return Changes(tuple(commands), tuple(cleanup))


def succeeded(command: str, answer: str) -> bool:
    """HAProxy says nothing when all is well, except that it has a new server."""
    return answer == ("New server registered." if command.startswith("add ") else "")


def _add(key: Key, server: str) -> tuple[str, ...]:
    return tuple(
        f"{verb} {_path(key)}{rest}"
        for verb, rest in (("add server", f" {server}"), ("enable health", ""), ("enable server", ""))
    )


def _path(key: Key) -> str:
    return f"{key.pool}/{key.member}"
