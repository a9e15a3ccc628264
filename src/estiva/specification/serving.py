"""What the scoring server is told of how it is to serve: settings as variables of its environment. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping

from estiva.records import ServiceSettings
from estiva_server import contract


def variables(service: str, settings: ServiceSettings, of_script: Mapping[str, str]) -> dict[str, str]:
    """The same wherever a replica runs; `of_script` are the user's own variables."""
    values = {
        contract.SERVICE_NAME_VARIABLE: service,
        contract.SCORING_TIMEOUT_VARIABLE: str(settings.scoring_timeout_ms),
        contract.INIT_TIMEOUT_VARIABLE: f"{settings.start_seconds:g}",
        contract.CONCURRENCY_VARIABLE: str(_concurrency(settings, of_script)),
        contract.BODY_LIMIT_VARIABLE: str(settings.body_limit),
    }
    return values | ({contract.DEBUG_VARIABLE: "true"} if settings.debug else {})


def _concurrency(settings: ServiceSettings, of_script: Mapping[str, str]) -> int:
    """Calls of run() at a time in each worker, at least one: the replica's number of them, divided."""
    text = of_script.get(contract.WORKER_COUNT_VARIABLE, "").strip()
    workers = max(1, int(text)) if text.isdecimal() else 1  # else the server itself refuses it
    return math.ceil(settings.replica_max_concurrent_requests / workers)
