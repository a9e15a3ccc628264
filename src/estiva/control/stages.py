"""The stages that the control server composes, opened once for one home."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

import structlog

from estiva import targets
from estiva.control.access import AccessControl
from estiva.control.changes import Changes
from estiva.control.fleet import Fleet
from estiva.control.publishing import Publisher
from estiva.environments import Environments
from estiva.home import Home
from estiva.registry.blobs import Blobs
from estiva.registry.store import Store
from estiva.registry.trees import Checkouts

log = structlog.get_logger()


@dataclass(frozen=True)
class Stages:
    home: Home
    store: Store
    blobs: Blobs
    checkouts: Checkouts
    environments: Environments
    fleet: Fleet
    access: AccessControl
    publisher: Publisher
    changes: Changes = field(default_factory=Changes)

    @classmethod
    def open(cls, home: Home) -> Stages:
        home.create()
        store = Store(f"sqlite:///{home.database}")
        blobs = Blobs(home.blobs)
        fleet = Fleet(
            store,
            {
                "process": lambda: targets.load("process", root=home.replicas, runtime=home.runtime),
                "docker": lambda: targets.load("docker", owner=home.identity.read_text()),
            },
        )
        access = AccessControl(home, store)
        return cls(
            home=home,
            store=store,
            blobs=blobs,
            checkouts=Checkouts(blobs, home.checkouts),
            environments=Environments(home.environments, Path(str(files("estiva_server")))),
            fleet=fleet,
            access=access,
            publisher=Publisher(home, store, fleet, access),
        )

    def prune(self) -> None:
        """Frees what no model and no generation refers to any more."""
        self.access.prune()
        self.checkouts.drop(self.store.referenced_trees())
        freed = self.blobs.prune(self.store.referenced_blobs())
        log.info("pruned", freed_bytes=freed)
