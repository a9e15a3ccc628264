"""Where replicas run: the one seam that every kind of place implements."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from typing import Any, ClassVar, Literal

from estiva.errors import TargetException
from estiva.records import Entrance, Launch, Observation, ServiceKey


class Target(ABC):
    """A place where replicas run.

    To add a target, write `targets/<kind>.py` with one class `<Kind>Target` that says what it `runs` and has
    the methods below. One that starts copies one by one inherits `_replicas.ReplicaTarget` and writes less.

    What all methods promise:

    - State is recovered from what runs (files, labels, the cluster), never from this object's memory: a new
      object sees and ends what an older one, or one that was killed half way, started.
    - Each may be called again at any time, from several threads, and for a key that does not exist.
    - A target never builds, routes or explains. It raises `TargetException` and nothing else.
    """

    runs: ClassVar[Literal["venv", "image"]]
    """The artifact that must exist before a start."""

    @abstractmethod
    def apply(self, launch: Launch) -> None:
        """Brings up a generation beside what runs, with as many replicas as the launch says, and no more.

        Before a start: starts the missing replicas and returns without waiting for init(). During it: does
        nothing. After it: a replica that has been ready and died is started again, at first at once, then
        with growing pauses; one that ended before it was ever ready stays as it is, for control to judge.
        """

    @abstractmethod
    def observe(self, key: ServiceKey) -> Observation:
        """What runs of a service, and what died without being asked to.

        Before a start: no replica. During it: STARTING, from the moment that `apply` returned. After it:
        READY, DRAINING, or EXITED. What was stopped on purpose is not listed.
        """

    @abstractmethod
    def keys(self) -> tuple[ServiceKey, ...]:
        """Every service of which anything is left here, running or not."""

    @abstractmethod
    def stop(self, key: ServiceKey, generation: int) -> None:
        """Ends a generation's replicas: lets them answer what they have begun, within a bound. Logs stay.

        Before a start, or when all is gone: nothing. During a start: ends it. To stop one replica, `apply`
        a launch with fewer: those with the highest index go.
        """

    @abstractmethod
    def retire(self, key: ServiceKey, keep: Collection[int]) -> None:
        """Stops the generations that are not to be kept, and removes all that is left of them, logs included.

        A generation that is newer than all to keep stays: it may be being started at this moment. With none
        to keep, all go.
        """

    @abstractmethod
    def delete(self, key: ServiceKey) -> None:
        """Retires every generation. Absence is success."""

    @abstractmethod
    def logs(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 5000
    ) -> list[str]:
        """The last lines, in the order of time, of what was not retired; None means every one."""

    @abstractmethod
    def follow(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 10
    ) -> Iterator[list[str]]:
        """The last lines, then new ones as they come, those of replicas that start later included.

        Yields at least once a second, an empty list if need be, so that the caller can stop listening; ends
        when nothing is left of the service.
        """

    def enter(self, launch: Launch) -> Entrance:
        """How to run a command where the launch's first replica runs, or would: for people who look around.

        Before a start, or after a stop: puts its app root together where that is possible. Raises
        TargetException, code "NotEntered", where only a running replica can be entered and none runs.
        """
        raise TargetException(
            f"A replica of {launch.key} cannot be entered: its compute target has no way in.",
            code="NotEntered",
        )


def load(kind: str, **options: Any) -> Target:
    """The target of that kind: imports `targets/<kind>.py` and makes its class with the options."""
    name = f"estiva.targets.{kind}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise TargetException(
            f"There is no compute target of kind {kind!r} in this release of Estiva.", code="UnknownTarget"
        ) from error
    target = getattr(module, f"{kind.capitalize()}Target")(**options)
    if not isinstance(target, Target):
        raise TypeError(f"{target!r} is not a Target")
    return target
