"""The way into a service for people: its environment and its app root, with a shell in them."""

from __future__ import annotations

import threading

import structlog

from estiva.control import launching
from estiva.control.stages import Stages
from estiva.records import Entrance, ServiceKey

log = structlog.get_logger()


def enter(stages: Stages, key: ServiceKey) -> Entrance:
    """Into the newest generation, also if it failed. Secrets stay outside: a shell shows what it has.

    Raises EnvironmentException if the environment cannot be built, TargetException if there is no way in.
    """
    service = stages.store.service(key)
    spec = stages.store.generation(key, service.desired).spec
    artifact = launching.prepare(stages, key.workspace, spec, log.debug, threading.Event().is_set)
    launch = launching.content(stages, key, service.desired, spec, artifact)
    return stages.fleet.target(spec.target).enter(launch.model_copy(update={"secrets": {}}))
