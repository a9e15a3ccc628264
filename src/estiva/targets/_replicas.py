"""Targets that start and stop copies one by one: what is wanted, against what is observed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor

from estiva.records import Launch, Replica, ReplicaPhase, ServiceKey
from estiva.targets import Target

LONGEST_PAUSE_SECONDS = 60.0
_PARALLEL_STOPS = 8


def pause(starts: int) -> float:
    """Seconds from a replica's last start to its next: none after the first, then 1, 2, 4 ... up to a minute.

    Counted from the start, so that one which ran for a minute is always replaced at once.
    """
    return 0.0 if starts <= 1 else min(2.0 ** min(starts - 2, 30), LONGEST_PAUSE_SECONDS)


def _goes(generation: int, keep: Collection[int]) -> bool:
    """What is newer than all that is to be kept was begun after that was said."""
    return generation not in keep and generation <= max(keep, default=generation)


def _of_replica(launch: Launch, index: int) -> Launch:
    """A debugger has one port, which is the first replica's."""
    if index == 0 or launch.settings.debugger is None:
        return launch
    settings = launch.settings.model_copy(update={"debugger": None})
    return launch.model_copy(update={"settings": settings})


class ReplicaTarget(Target):
    """A target that writes the five methods below for its kind of copy, beside those that only look."""

    @abstractmethod
    def start(self, launch: Launch, index: int) -> None:
        """Starts one replica and returns at once. If it runs, or is being started, nothing happens."""

    @abstractmethod
    def stop_replica(self, key: ServiceKey, generation: int, index: int) -> None:
        """Drains and ends one replica, whatever became of it; keeps its logs. Absence is success."""

    @abstractmethod
    def comes_back(self, key: ServiceKey, replica: Replica) -> bool:
        """Whether a replica that EXITED is to be started again now."""

    @abstractmethod
    def generations(self, key: ServiceKey) -> set[int]:
        """Generations of which anything is left: replicas, half started ones, logs."""

    @abstractmethod
    def remove(self, key: ServiceKey, generation: int) -> None:
        """Removes all that is left of a generation, ending what may still run. Absence is success."""

    def apply(self, launch: Launch) -> None:
        present = {r.index: r for r in self.observe(launch.key).of(launch.generation)}
        self._stop(launch.key, (r for r in present.values() if r.index >= launch.replicas))
        for index in range(launch.replicas):
            replica = present.get(index)
            if replica is None or self._to_start_again(launch.key, replica):
                self.start(_of_replica(launch, index), index)

    def stop(self, key: ServiceKey, generation: int) -> None:
        self._stop(key, self.observe(key).of(generation))

    def retire(self, key: ServiceKey, keep: Collection[int]) -> None:
        seen = self.observe(key).replicas
        self._stop(key, (replica for replica in seen if _goes(replica.generation, keep)))
        for generation in self.generations(key):
            if _goes(generation, keep):
                self.remove(key, generation)

    def delete(self, key: ServiceKey) -> None:
        self.retire(key, keep=())

    def _to_start_again(self, key: ServiceKey, replica: Replica) -> bool:
        return replica.phase is ReplicaPhase.EXITED and self.comes_back(key, replica)

    def _stop(self, key: ServiceKey, replicas: Iterable[Replica]) -> None:
        """All at the same time: each may need its whole time to drain."""
        with ThreadPoolExecutor(_PARALLEL_STOPS, thread_name_prefix="stop") as pool:
            stops = [pool.submit(self.stop_replica, key, r.generation, r.index) for r in replicas]
        for stop in stops:
            stop.result()
