"""The logs of containers, as the engine keeps them, and the engine's own words about them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

import docker

from estiva.targets import _container
from estiva.targets._container import Container
from estiva.targets._logs import merge

_TOLD = ("start", "die", "oom", "kill", "stop", "pause", "unpause", "restart")
_GONE = (404, 409)
"""Removed, or being removed."""
_STAMP = 24
"""Length of "2026-11-23T23:05:00.123Z", with which the scoring server's lines begin."""


class Reader:
    """Reads on in the log of one container from where it stopped."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._last = ""

    def read(self, client: docker.DockerClient, count: int | None = None) -> list[str]:
        """Lines since the last call (the last `count` of them). Empty if the container is gone."""
        options: dict[str, Any] = {"tail": "all" if count is None else count}
        if self._last:
            options["since"] = int(_container.parse_time(self._last))
        try:
            text = client.api.logs(self._container.id, timestamps=True, **options)
        except docker.errors.APIError as error:
            if error.status_code not in _GONE:
                raise
            return []
        lines = [line.partition(" ") for line in text.decode(errors="replace").splitlines()]
        new = [(at, said) for at, _, said in lines if at > self._last]
        if new:
            self._last = new[-1][0]
        return [_stamped(at, said) for at, said in new]


def _stamped(at: str, line: str) -> str:
    """What the server's supervisor did not write itself has no time yet."""
    return line if line[_STAMP - 1 : _STAMP] == "Z" and line[:2] == "20" else f"{at[: _STAMP - 1]}Z {line}"


def told(client: docker.DockerClient, containers: Iterable[Container]) -> list[str]:
    """What the engine remembers of having done to these containers: started, ended, killed, paused."""
    found = {container.id: container for container in containers}
    if not found:
        return []
    since = min(_container.parse_time(str(each.facts["Created"])) for each in found.values())
    return [_line(event) for event in remembered(client, since, list(found), _TOLD)]


def remembered(
    client: docker.DockerClient, since: float, containers: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The events of these names that the engine still knows; it keeps some hundreds."""
    filters = {"container": list(containers), "event": list(names)}
    # The engine takes fractions of a second, of which the client's types do not know.
    span: dict[str, Any] = {"since": f"{since:.6f}", "until": f"{time.time():.6f}"}
    return list(client.api.events(filters=filters, decode=True, **span))


def _line(event: dict[str, Any]) -> str:
    at = datetime.fromtimestamp(event["timeNano"] / 1e9, tz=timezone.utc)
    facts = event["Actor"]["Attributes"]
    how = {"die": f" with exit status {facts.get('exitCode')}", "kill": f" with signal {facts.get('signal')}"}
    stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z"
    return f"{stamp} engine: {event['Action']} {facts.get('name')}{how.get(event['Action'], '')}"


def tail(client: docker.DockerClient, containers: list[Container], count: int) -> list[str]:
    """The last lines of all of them, in the order of time, with what the engine tells."""
    logs = [Reader(container).read(client, count) for container in containers]
    return merge([*logs, told(client, containers)])[-count:] if count > 0 else []
