"""All targets as one: a launch goes to the target it names, and what is seen anywhere is seen here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence, Set
from typing import TypeVar

import structlog

from estiva.errors import TargetException, WebserviceException
from estiva.records import Launch, Observation, ServiceKey, TargetKind
from estiva.registry.store import Store
from estiva.targets import Target

_Answer = TypeVar("_Answer")

log = structlog.get_logger()


class Fleet:
    """The targets of a control server, each opened when a service first needs it.

    A service is looked for where any of its generations runs or ran: an engine that is away matters to the
    services in it alone, and not to those that have left it.
    """

    def __init__(self, store: Store, opens: Mapping[TargetKind, Callable[[], Target]]) -> None:
        """`opens` makes a target of each kind; it raises TargetException where that is not to be had."""
        self._store = store
        self._opens = opens
        self._opened: dict[TargetKind, Target] = {}
        self._seen: dict[ServiceKey, Observation] = {}
        self._tried: dict[ServiceKey, TargetKind] = {}
        """Where a service was launched last, for one that the store does not know."""
        self._opening = threading.Lock()

    def target(self, kind: TargetKind) -> Target:
        with self._opening:
            if kind not in self._opened:
                self._opened[kind] = self._opens[kind]()
            return self._opened[kind]

    def apply(self, launch: Launch) -> None:
        self._tried[launch.key] = launch.target
        self.target(launch.target).apply(launch)

    def observe(self, key: ServiceKey) -> Observation:
        seen = self._ask(key, lambda target: target.observe(key))
        return Observation(key=key, replicas=tuple(replica for one in seen for replica in one.replicas))

    def glimpse(self, key: ServiceKey) -> Observation:
        """As `observe`; from a target that is away, what was seen there last, and why it is away."""
        try:
            seen = self.observe(key)
        except TargetException as error:
            last = self._seen.get(key, Observation(key=key))
            return last.model_copy(update={"trouble": error.message})
        self._seen[key] = seen
        return seen

    def stop(self, key: ServiceKey, generation: int) -> None:
        self._ask(key, lambda target: target.stop(key, generation))

    def retire(self, key: ServiceKey, keep: Collection[int]) -> None:
        self._ask(key, lambda target: target.retire(key, keep))

    def delete(self, key: ServiceKey) -> None:
        self._ask(key, lambda target: target.delete(key))
        self._seen.pop(key, None)
        self._tried.pop(key, None)

    def logs(
        self, key: ServiceKey, *, generation: int | None = None, replica: int | None = None, tail: int = 5000
    ) -> list[str]:
        """As `Target.logs`, of the target that has any."""
        found = self._ask(
            key, lambda target: target.logs(key, generation=generation, replica=replica, tail=tail)
        )
        return next((lines for lines in reversed(found) if lines), [])

    def follow(
        self, key: ServiceKey, *, generation: int | None = None, tail: int = 10
    ) -> Iterator[list[str]]:
        """As `Target.follow`, of the target that the service was deployed to last."""
        return self.target(self._kinds(key)[-1]).follow(key, generation=generation, tail=tail)

    def end_strangers(self, known: Collection[ServiceKey]) -> None:
        """Removes what belongs to no service: a trial, or a deletion, that was cut short."""
        for kind in self._opens:
            self._sweep(kind, set(known))

    def _sweep(self, kind: TargetKind, known: Set[ServiceKey]) -> None:
        """A target that is not to be had now is passed over."""
        try:
            target = self.target(kind)
            for key in set(target.keys()) - known:
                target.delete(key)
        except TargetException as error:
            log.info("target not swept", target=kind, code=error.code, error=str(error))

    def _ask(self, key: ServiceKey, ask: Callable[[Target], _Answer]) -> list[_Answer]:
        """The answers of all targets of a service. One that it has left may be away, for good even."""
        *left, last = self._kinds(key)
        answers = [answer for kind in left for answer in self._ask_left(kind, ask)]
        return [*answers, ask(self.target(last))]

    def _ask_left(self, kind: TargetKind, ask: Callable[[Target], _Answer]) -> list[_Answer]:
        try:
            return [ask(self.target(kind))]
        except TargetException as error:
            log.debug("target passed over", target=kind, code=error.code, error=str(error))
            return []

    def _kinds(self, key: ServiceKey) -> Sequence[TargetKind]:
        """In the order in which the service came to them."""
        try:
            return self._store.service(key).targets
        except WebserviceException:  # a trial, or a service that is just being deleted
            return (self._tried.get(key, "process"),)
