"""Publishes services: keeps each workspace's gateway equal to what the store says is served."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping

from estiva.control.fleet import Fleet
from estiva.gateway import Gateway, binary
from estiva.home import Home
from estiva.records import (
    Endpoint,
    Generation,
    Listener,
    Replica,
    Route,
    Service,
    ServiceKey,
    ServiceState,
    Version,
)
from estiva.registry.store import Store

_VERSION = "default"
"""The name of a service's one version."""


class Publisher:
    """Routes of a workspace are computed and applied under one lock, so that the newest state wins."""

    def __init__(self, home: Home, store: Store, fleet: Fleet) -> None:
        self._home = home
        self._store = store
        self._fleet = fleet
        self._gateways: dict[str, Gateway] = {}
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)

    @property
    def available(self) -> bool:
        """Without an HAProxy a replica listens on the service's own port, and updates stop it first."""
        return binary.find() is not None

    def publish(self, workspace: str, switching: Mapping[ServiceKey, int] | None = None) -> None:
        """Makes the gateway serve what the store says, with `switching` services at another generation.

        Idempotent. What served before goes on serving if this raises GatewayException.
        """
        if not self.available:
            return
        with self._locks[workspace]:
            self._gateway(workspace).apply(self._routes(workspace, switching or {}))

    def stop(self, workspace: str) -> None:
        with self._locks[workspace]:
            self._gateway(workspace).stop()

    def alive(self, workspace: str) -> bool:
        return not self.available or self._gateway(workspace).alive()

    def quiet(self, key: ServiceKey, replica: Replica) -> bool:
        """Whether no request can reach the replica any more: only then may it be stopped."""
        if not self.available:
            return True
        return self._gateway(key.workspace).quiet(pool(key), endpoint_name(replica))

    def _gateway(self, workspace: str) -> Gateway:
        with self._locks[workspace]:
            if workspace not in self._gateways:
                self._gateways[workspace] = Gateway(self._home.gateways / workspace, self._home.runtime)
            return self._gateways[workspace]

    def _routes(self, workspace: str, switching: Mapping[ServiceKey, int]) -> list[Route]:
        routes = []
        for service in self._store.services(workspace):
            number = switching.get(service.key, service.serving)
            if number is not None and service.state is not ServiceState.DELETING:
                generation = self._store.generation(service.key, number)
                replicas = self._fleet.observe(service.key).of(number)
                routes.append(route(service, generation, replicas))
        return routes


def endpoint_name(replica: Replica) -> str:
    return f"g{replica.generation}-{replica.index}"


def pool(key: ServiceKey) -> str:
    """What the gateway calls a service's replicas."""
    return f"service:{key.service}:{_VERSION}"


def route(service: Service, generation: Generation, replicas: tuple[Replica, ...]) -> Route:
    """A dead replica keeps its place, as it is started again at the same address.

    How many requests a replica takes is what it says itself: workers and batches are its script's matter.
    """
    settings = generation.spec.settings
    capacity = max((replica.capacity for replica in replicas), default=0)
    version = Version(
        name=_VERSION,
        endpoints=tuple(Endpoint(name=endpoint_name(r), address=r.address) for r in replicas),
        concurrency=capacity or settings.replica_max_concurrent_requests,
        wait_ms=settings.max_request_wait_time,
        timeout_ms=settings.scoring_timeout_ms,
        body_limit=settings.body_limit,
    )
    return Route(
        name=service.key.service,
        versions=(version,),
        listener=Listener(host=service.host, port=service.port),
    )
