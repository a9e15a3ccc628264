"""What an access log says of one service: how many requests came lately, and how they were answered. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from estiva.records import Answers, Traffic

WINDOW_SECONDS = 900.0
_BUSY_SECONDS = 10.0
_OK = 200
_NEEDED = {"kind", "name", "version", "time", "status", "end", "run_ms", "total_ms"}


def summarize(lines: Iterable[str], pool: str, now: float) -> Traffic:
    """Of the requests for a pool, "service:iris:default", that ended in the last quarter of an hour."""
    wanted = tuple(pool.split(":"))
    found = [
        entry
        for entry in entries(lines)
        if (entry["kind"], entry["name"], entry["version"]) == wanted and entry["time"] > now - WINDOW_SECONDS
    ]
    answers = Counter((int(entry["status"]), str(entry["end"])) for entry in found if _is_call(entry))
    well = [max(0, entry["run_ms"]) for entry in found if entry["status"] == _OK]
    return Traffic(
        seconds=now - min((entry["time"] for entry in found), default=now),
        requests=sum(answers.values()),
        answers=tuple(
            Answers(status=status, end=end, count=count) for (status, end), count in sorted(answers.items())
        ),
        busiest_rps=_busiest(entry["time"] - max(0, entry["total_ms"]) / 1000 for entry in found),
        run_ms=sum(well) / len(well) if well else 0.0,
    )


def entries(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """What lines that are whole say: the first and the last that are read may not be."""
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.keys() >= _NEEDED:
            yield entry


def _is_call(entry: dict[str, Any]) -> bool:
    """Not what browsers and probes ask for by themselves."""
    return not (entry.get("method") in ("GET", "HEAD", "OPTIONS") and entry["status"] in (200, 404))


def _busiest(began: Iterable[float]) -> float:
    """Requests per second in those ten seconds, from a multiple of ten on, in which most began."""
    counts = Counter(int(time // _BUSY_SECONDS) for time in began)
    return max(counts.values(), default=0) / _BUSY_SECONDS
