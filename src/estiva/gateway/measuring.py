"""What an access log says of the versions of an endpoint, for people who compare them. Pure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from estiva.gateway.traffic import entries
from estiva.records import Measures


def measure(lines: Iterable[str], kind: str, name: str) -> dict[str, Measures]:
    """By version of the route; a version that no request reached is not in it."""
    found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries(lines):
        if (entry["kind"], entry["name"]) == (kind, name):
            found[entry["version"]].append(entry)
    return {version: _measures(ended) for version, ended in found.items()}


def _measures(ended: Sequence[Mapping[str, Any]]) -> Measures:
    times = sorted(float(entry["total_ms"]) for entry in ended)
    statuses = Counter(str(entry["status"]) for entry in ended)
    return Measures(
        requests=len(ended),
        statuses=dict(sorted(statuses.items())),
        p50_ms=percentile(times, 50),
        p95_ms=percentile(times, 95),
        p99_ms=percentile(times, 99),
        since=datetime.fromtimestamp(min(float(entry["time"]) for entry in ended), timezone.utc),
    )


def percentile(ascending: Sequence[float], percent: int) -> float:
    """The smallest of the values that at least that many percent do not exceed (nearest rank)."""
    return ascending[math.ceil(percent / 100 * len(ascending)) - 1]
