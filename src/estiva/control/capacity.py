"""How many replicas of a service this machine has room for."""

from __future__ import annotations

import math

from estiva.machine import Machine
from estiva.records import Scaling, ServiceSettings

RESERVED_CPUS = 0.1
RESERVED_BYTES = 500_000_000
"""What SDK v1 documents for a service that does not say what its replicas need."""
_GB = 1000**3


def room(settings: ServiceSettings, here: Machine) -> int:
    """So many replicas at most: as many as have what they reserve, and one in any case."""
    cpus = here.cpus / (settings.cpu_reserved or RESERVED_CPUS)
    memory = here.memory / (settings.memory_reserved or RESERVED_BYTES)
    return max(1, math.floor(round(min(cpus, memory), 9)))


def capped(scaling: Scaling, settings: ServiceSettings, here: Machine) -> Scaling:
    """The scaling as this machine allows it, and a sentence if that is less than was asked for."""
    most = room(settings, here)
    asked = scaling.autoscale.max_replicas if scaling.autoscale else scaling.replicas
    if asked <= most:
        return scaling.model_copy(update={"limit": ""})
    limit = (
        f"At most {most} of {asked} replicas: this machine has {here.cpus:g} CPUs and "
        f"{here.memory / _GB:.1f} GB, and {_each(settings)}."
    )
    return scaling.model_copy(update={"replicas": min(scaling.replicas, most), "limit": limit})


def _each(settings: ServiceSettings) -> str:
    cpus, memory = settings.cpu_reserved, settings.memory_reserved
    amount = f"{cpus or RESERVED_CPUS:g} CPUs and {(memory or RESERVED_BYTES) / _GB:g} GB"
    if cpus is None and memory is None:
        return f"a replica that does not say what it needs is taken to need {amount}"
    return f"each replica reserves {amount}"
