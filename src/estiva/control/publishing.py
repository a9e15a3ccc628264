"""Publishes services: keeps each workspace's gateway equal to what the store says is served."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from estiva.control import traffic
from estiva.control.access import AccessControl
from estiva.control.fleet import Fleet
from estiva.gateway import Gateway, binary
from estiva.home import Home
from estiva.records import (
    Access,
    Endpoint,
    Generation,
    Listener,
    Load,
    Measures,
    Member,
    Publication,
    Replica,
    ReplicaPhase,
    Route,
    Service,
    ServiceKey,
    ServiceState,
    Traffic,
    Version,
)
from estiva.registry.store import Store

HOLD_MS = 60_000
"""How long requests wait for the first replica of a service that is scaled to zero."""
_VERSION = "default"
"""The name of a service's one version."""


class Publisher:
    """Routes of a workspace are computed and applied under one lock, so that the newest state wins."""

    def __init__(self, home: Home, store: Store, fleet: Fleet, access: AccessControl) -> None:
        self._home = home
        self._store = store
        self._fleet = fleet
        self._access = access
        self._gateways: dict[str, Gateway] = {}
        self._opening = threading.Lock()
        self._locks: defaultdict[str, threading.RLock] = defaultdict(threading.RLock)
        self._switching: dict[ServiceKey, int] = {}
        self._applied: dict[str, tuple[list[Route], Listener | None]] = {}
        self._generations: dict[ServiceKey, tuple[datetime, Generation]] = {}

    @property
    def available(self) -> bool:
        """Without an HAProxy a replica listens on the service's own port, and updates stop it first."""
        return binary.find() is not None

    def publish(self, workspace: str) -> None:
        """Makes the gateway serve what the store says, and the replicas that are ready.

        Idempotent. What served before goes on serving if this raises GatewayException.
        """
        if not self.available:
            return
        with self._locks[workspace]:
            wanted = self._routes(workspace), self._shared(workspace)
            self._gateway(workspace).apply(*wanted)
            self._applied[workspace] = wanted

    @contextmanager
    def switched(self, key: ServiceKey, number: int) -> Iterator[None]:
        """Meanwhile the service is published at that generation, whatever the store says yet."""
        self._switching[key] = number
        try:
            yield
        finally:
            del self._switching[key]

    def stop(self, workspace: str) -> None:
        with self._locks[workspace]:
            self._gateway(workspace).stop()

    def is_current(self, workspace: str) -> bool:
        """Whether the gateway runs, and serves what `publish` would make it serve."""
        if not self.available:
            return True
        with self._locks[workspace]:
            applied = self._applied.get(workspace)
        wanted = self._routes(workspace), self._shared(workspace)
        return self._gateway(workspace).alive() and applied == wanted

    def quiet(self, key: ServiceKey, replica: Replica) -> bool:
        """Whether no request can reach the replica any more: only then may it be stopped."""
        if not self.available:
            return True
        return self._gateway(key.workspace).quiet(pool(key), member_name(replica))

    def loads(self, workspace: str) -> dict[str, Load]:
        """What each pool has to do now; empty where no gateway runs. Raises GatewayException."""
        if not self.available:
            return {}
        return {f"{load.route}:{load.version}": load for load in self._gateway(workspace).load()}

    def traffic(self, key: ServiceKey) -> Traffic | None:
        """What came for a service lately; None where no gateway saw it."""
        if not self.available:
            return None
        return self._gateway(key.workspace).traffic(pool(key))

    def measures(self, workspace: str, endpoint: str) -> dict[str, Measures]:
        """What became of the newest requests of an endpoint, by version."""
        return self._gateway(workspace).measures("endpoint", endpoint)

    def _gateway(self, workspace: str) -> Gateway:
        with self._opening:
            if workspace not in self._gateways:
                self._gateways[workspace] = Gateway(self._home.gateways / workspace, self._home.runtime)
            return self._gateways[workspace]

    def _routes(self, workspace: str) -> list[Route]:
        routes = []
        versions: defaultdict[str, list[Version]] = defaultdict(list)
        for service in self._store.services(workspace):
            served = self._version(service)
            if served is None:
                continue
            if service.key.version is None:
                access = self._access.rules(workspace, service.key.service, service.publication)
                routes.append(service_route(service, served, self._listener(service), access))
            else:
                versions[service.key.service].append(served)
        for endpoint in self._store.endpoints(workspace):
            if versions[endpoint.name]:
                access = self._access.rules(workspace, endpoint.name, endpoint.publication)
                routes.append(endpoint_route(endpoint, versions[endpoint.name], access))
        return routes

    def _version(self, service: Service) -> Version | None:
        """What serves of it; None if nothing does."""
        number = self._switching.get(service.key, service.serving)
        if number is None or service.state is ServiceState.DELETING:
            return None
        replicas = self._fleet.glimpse(service.key).of(number)
        return version(service, self._generation(service, number), replicas)

    def _shared(self, workspace: str) -> Listener | None:
        """The workspace's port, once a service has needed it."""
        found = self._store.workspace(workspace)
        if found.port is None:
            return None
        certificate = self._access.certificate_file(workspace, found.certificate)
        return Listener(host=Publication().host, port=found.port, certificate=certificate)

    def _listener(self, service: Service) -> Listener | None:
        """The port of the service's own, if it has one."""
        publication = service.publication
        if publication is None or publication.port is None:
            return None
        certificate = self._access.certificate_file(service.key.workspace, publication.certificate)
        return Listener(host=publication.host, port=publication.port, certificate=certificate)

    def _generation(self, service: Service, number: int) -> Generation:
        """Read once: what is routed of a generation does not change, and a generation may be large."""
        created, generation = self._generations.get(service.key, (None, None))
        if generation is None or (created, generation.number) != (service.created_time, number):
            generation = self._store.generation(service.key, number)
            self._generations[service.key] = (service.created_time, generation)
        return generation


def member_name(replica: Replica) -> str:
    return f"g{replica.generation}-{replica.index}"


def pool(key: ServiceKey) -> str:
    """What the gateway calls the replicas of a service, or of a version of an endpoint."""
    if key.version is None:
        return f"service:{key.service}:{_VERSION}"
    return f"endpoint:{key.service}:{key.version}"


def takes_requests(replica: Replica) -> bool:
    """A dead replica keeps its place, as it is started again at the same address; a new one has none yet."""
    return replica.phase is not ReplicaPhase.STARTING or replica.restarts > 0


def version(service: Service, generation: Generation, replicas: tuple[Replica, ...]) -> Version:
    """With those replicas that are wanted and have been ready; in debug mode, with the one that is debugged.

    How many requests a replica takes is what it says itself: workers and batches are its script's matter.
    """
    settings = generation.spec.settings
    capacity = max((replica.capacity for replica in replicas), default=0)
    return Version(
        name=service.key.version or _VERSION,
        members=tuple(
            Member(name=member_name(r), address=r.address)
            for r in replicas
            if r.index < (1 if settings.debugger else service.scaling.replicas) and takes_requests(r)
        ),
        concurrency=capacity or settings.replica_max_concurrent_requests,
        wait_ms=settings.max_request_wait_time,
        timeout_ms=settings.answer_ms,
        body_limit=settings.body_limit,
        probe=settings.probe,
        hold_ms=HOLD_MS if service.scaling.to_zero else 0,
    )


def service_route(
    service: Service, served: Version, listener: Listener | None = None, access: Access | None = None
) -> Route:
    return Route(
        name=service.key.service,
        versions=(served,),
        listener=listener,
        shared=service.publication is not None and service.publication.port is None,
        access=access,
    )


def endpoint_route(endpoint: Endpoint, served: Sequence[Version], access: Access | None = None) -> Route:
    """With the versions that serve, and their shares of the requests."""
    names = [one.name for one in served]
    chosen, shares = traffic.default(endpoint, names), traffic.shares(endpoint, names)
    copies = {known.name: known.mirror_percentile for known in endpoint.versions}
    versions = (
        one.model_copy(
            update={
                "weight": shares[one.name],
                "is_default": one.name == chosen,
                "mirror": copies[one.name],
            }
        )
        for one in served
    )
    return Route(
        name=endpoint.name,
        kind="endpoint",
        versions=tuple(versions),
        shared=True,
        access=access,
        sticky_header=endpoint.sticky_header,
    )
