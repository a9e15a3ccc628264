"""A discrete-event simulation of the gateway's queue, and of replicas that start and drain.

The rules of the queue are those of the gateway: the least loaded replica, so many requests at a time in each,
the rest in order of arrival, 503 after the longest wait. A replica costs from its start until it has drained.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.scaling.traces import Request
from estiva.records import LoadSample


@dataclass(frozen=True)
class Sample:
    """What a rule is told. `mean_requests`, running or waiting, is over the time since the sample before."""

    load: LoadSample
    ready: int
    mean_requests: float


class Rule(Protocol):
    """An autoscaling rule under test: it is asked every `refresh_seconds`."""

    refresh_seconds: float

    def wanted(self, sample: Sample) -> int: ...


@dataclass(frozen=True)
class Settings:
    concurrency: int = 1
    wait_seconds: float = 0.5
    start_seconds: float = 1.0
    replicas: int = 1
    """Ready at the beginning."""


@dataclass
class Replica:
    started: float
    ready: bool = False
    draining: bool = False
    busy: int = 0


@dataclass(frozen=True)
class Point:
    """A moment of a run, for the charts."""

    time: float
    wanted: int
    ready: int
    busy: int
    queued: int
    rejected: int


@dataclass
class Result:
    requests: int = 0
    rejected: int = 0
    replica_seconds: float = 0.0
    """Of every replica from its start to its end, starting and draining included."""
    busy_seconds: float = 0.0
    changes: int = 0
    """How often the number of replicas was changed."""
    waits: list[float] = field(default_factory=list)
    """Seconds in the queue, of each request that was let in."""
    points: list[Point] = field(default_factory=list)

    @property
    def rejected_share(self) -> float:
        return self.rejected / self.requests if self.requests else 0.0

    @property
    def utilization(self) -> float:
        return self.busy_seconds / self.replica_seconds if self.replica_seconds else 0.0


_READY, _DONE, _REFRESH = range(3)


class Simulation:
    """One run. Time goes from event to event; at one moment those that end come before those that arrive."""

    def __init__(self, requests: Sequence[Request], seconds: float, rule: Rule, settings: Settings) -> None:
        self.requests = requests
        self.seconds = seconds
        self.rule = rule
        self.settings = settings
        self.now = 0.0
        self.replicas = [Replica(0.0, ready=True) for _ in range(settings.replicas)]
        self.queue: deque[Request] = deque()
        self.events: list[tuple[float, int, int, Replica | None]] = []
        self.scheduled = 0
        self.busy = 0
        # Since the rule was asked last: time x requests, and what the gateway's counters say.
        self.area = 0.0
        self.arrivals = 0
        self.rejected = 0
        self.wanted = settings.replicas
        self.result = Result()

    def run(self) -> Result:
        self._later(self.rule.refresh_seconds, _REFRESH)
        for request in self.requests:
            self._advance(request.time)
            self._arrive(request)
        self._advance(self.seconds)
        self.result.replica_seconds += sum(self.seconds - replica.started for replica in self.replicas)
        return self.result

    def _later(self, seconds: float, kind: int, replica: Replica | None = None) -> None:
        self.scheduled += 1
        heapq.heappush(self.events, (self.now + seconds, self.scheduled, kind, replica))

    def _advance(self, until: float) -> None:
        while self.events and self.events[0][0] <= until:
            time, _, kind, replica = heapq.heappop(self.events)
            self._pass(time)
            if replica is None:
                self._refresh()
            elif kind == _READY:
                replica.ready = True
                self._fill()
            else:
                self._complete(replica)
        self._pass(until)

    def _pass(self, time: float) -> None:
        """Time goes by: those who wait too long are turned away when they have."""
        while self.queue and self.queue[0].time + self.settings.wait_seconds <= time:
            self._elapse(self.queue[0].time + self.settings.wait_seconds)
            self.queue.popleft()
            self.rejected += 1
            self.result.rejected += 1
        self._elapse(time)

    def _elapse(self, time: float) -> None:
        passed = time - self.now
        self.area += passed * (self.busy + len(self.queue))
        self.result.busy_seconds += passed * self.busy
        self.now = time

    def _arrive(self, request: Request) -> None:
        self.arrivals += 1
        self.result.requests += 1
        self.queue.append(request)
        self._fill()

    def _fill(self) -> None:
        while self.queue and (replica := self._least_loaded()) is not None:
            request = self.queue.popleft()
            self.result.waits.append(self.now - request.time)
            replica.busy += 1
            self.busy += 1
            self._later(request.run_seconds, _DONE, replica)

    def _least_loaded(self) -> Replica | None:
        least, busy = None, self.settings.concurrency
        for replica in self.replicas:
            if replica.busy < busy and replica.ready and not replica.draining:
                least, busy = replica, replica.busy
        return least

    def _complete(self, replica: Replica) -> None:
        replica.busy -= 1
        self.busy -= 1
        if replica.draining:
            self._remove_if_idle(replica)
        else:
            self._fill()

    def _refresh(self) -> None:
        interval = self.rule.refresh_seconds
        ready = sum(replica.ready and not replica.draining for replica in self.replicas)
        load = LoadSample(
            time=self.now,
            busy=self.busy,
            queued=len(self.queue),
            arrivals=self.arrivals,
            rejected=self.rejected,
        )
        self._scale(self.rule.wanted(Sample(load, ready, self.area / interval)))
        point = Point(self.now, self.wanted, ready, self.busy, len(self.queue), self.rejected)
        self.result.points.append(point)
        self.arrivals = self.rejected = 0
        self.area = 0.0
        self._later(interval, _REFRESH)

    def _scale(self, wanted: int) -> None:
        staying = [replica for replica in self.replicas if not replica.draining]
        self.result.changes += wanted != self.wanted
        self.wanted = wanted
        for _ in range(wanted - len(staying)):
            replica = Replica(self.now)
            self.replicas.append(replica)
            self._later(self.settings.start_seconds, _READY, replica)
        # Those that do not serve yet go first, then the least busy.
        leaving = sorted(staying, key=lambda r: (r.ready, r.busy, -r.started))
        for replica in leaving[: max(0, len(staying) - wanted)]:
            replica.draining = True
            self._remove_if_idle(replica)

    def _remove_if_idle(self, replica: Replica) -> None:
        if replica.busy == 0:
            self.replicas.remove(replica)
            self.result.replica_seconds += self.now - replica.started


def simulate(requests: Sequence[Request], seconds: float, rule: Rule, settings: Settings) -> Result:
    return Simulation(requests, seconds, rule, settings).run()
