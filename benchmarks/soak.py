"""Endurance: the scoring server at 80 % of its peak, while workers are killed and requests get stuck.

Two workers with a deadline of a second serve clients that check the content of every answer. For three
quarters of the time, at moments that the seed decides, a worker is killed or a request never ends, in Python
or in C that holds the interpreter's lock. The last quarter is quiet: nothing at all may fail then, and
workers live long enough for their memory to be compared. Each answer other than 200 and each lost connection
must be what one of those troubles does, at its time and to its worker.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import quantiles

from benchmarks.serving.clients import SCORE, Clients, Failure
from benchmarks.serving.environments import InstallError, environment
from benchmarks.serving.memory import Scale, growth, worker_growth
from benchmarks.serving.peers import ESTIVA, MODEL, PLAIN_BODY
from benchmarks.serving.processes import ServingError, Started, serving
from benchmarks.serving.report import Target, table
from benchmarks.serving.trouble import Trouble, disturb, troubles_of, unexplained, watch

SHARE_OF_PEAK = 0.8
PEAK_SECONDS = 5.0
QUIET_SHARE = 0.25
SHOWN = 20
"""Unexplained failures that are printed one by one."""

SERVER = replace(
    ESTIVA,
    files={"score.py": SCORE, "model.py": MODEL},
    body=PLAIN_BODY[:-1] + ', "stuck": null}',
    variables={"WORKER_COUNT": "2", "SCORING_TIMEOUT_MS": "1000"},
)


@dataclass(frozen=True)
class Soak:
    """What one run has seen."""

    peak: float
    """Right answers per second."""
    seconds: float
    rough: Clients
    quiet: Clients
    kills: list[Trouble]
    supervisor: float
    """Memory at the end as a multiple of that at the start."""
    workers: float
    """The same from the start of the quiet part on."""
    memory: str

    @property
    def troubles(self) -> list[Trouble]:
        return troubles_of(self.kills, self.rough.stuck)

    @property
    def unexplained(self) -> list[Failure]:
        return unexplained(self.rough.failures, self.troubles) + self.quiet.failures


def soak(started: Started, seconds: float, seed: int) -> Soak:
    peak = measure_peak(started)
    scale = Scale(started)
    print(f"The peak is {peak:,.0f} requests per second; {seconds / 60:g} minutes begin.", file=sys.stderr)
    rough, quiet = (Clients(started.port, peak * SHARE_OF_PEAK) for _ in range(2))
    with rough.running():
        kills = disturb(started, rough, seconds * (1 - QUIET_SHARE), seed, scale.weigh)
    calm = len(scale.taken)
    with quiet.running():
        watch(started, time.monotonic() + seconds * QUIET_SHARE, scale.weigh)
    return Soak(
        peak,
        seconds,
        rough,
        quiet,
        kills,
        supervisor=growth([one.supervisor for one in scale.taken]),
        workers=worker_growth(scale.taken[calm:]),
        memory=scale.table(),
    )


def measure_peak(started: Started) -> float:
    """Requests per second of the same clients when they do not pause. Raises ServingError."""
    clients = Clients(started.port)
    with clients.running():
        watch(started, time.monotonic() + PEAK_SECONDS, lambda: None)
    if clients.failures:
        raise ServingError(f"A request failed before there was any trouble: {clients.failures[0]}")
    return len(clients.latencies) / PEAK_SECONDS


def report(seen: Soak, seed: int) -> None:
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} CPUs, seed {seed}")
    rows = [
        _row("rough", seen.rough, seen.peak * seen.seconds * (1 - QUIET_SHARE)),
        _row("quiet", seen.quiet, seen.peak * seen.seconds * QUIET_SHARE),
    ]
    print(table(["", "requests", "of peak", "p50", "p99", "other than 200"], rows))
    print(f"\ntrouble made: {_listed(Counter(one.kind for one in seen.troubles))}")
    stuck = [one.ended - one.sent for one in seen.rough.stuck]
    if stuck:
        print(f"stuck requests were answered or cut off after {max(stuck):.2f} s at most (deadline: 1 s)")
    print(f"\n{seen.memory}\n")
    for failure in seen.unexplained[:SHOWN]:
        print(f"unexplained: {failure}")


def _row(name: str, clients: Clients, at_peak: float) -> Sequence[str]:
    """`at_peak`: as many requests as the peak is in the same time."""
    counts = clients.counts
    percentiles = quantiles(clients.latencies, n=100)
    p50, p99 = (f"{percentiles[percent - 1] * 1000:.2f} ms" for percent in (50, 99))
    others = Counter({said: count for said, count in counts.items() if said != "200"})
    total = counts.total()
    return [name, f"{total:,}", f"{total / at_peak:.0%}", p50, p99, _listed(others) or "none"]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} x {said}" for said, count in sorted(counts.items()))


def targets(seen: Soak) -> list[Target]:
    return [
        Target("memory of the supervisor, at the end to at the start", seen.supervisor, most=1.1),
        Target("memory of a worker, in the quiet part", seen.workers, most=1.1),
    ]


def restarts(started: Started) -> int:
    """Workers that the server says it has replaced."""
    return started.log.count("The worker was killed by") + started.log.count(": the worker is replaced")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    try:
        with serving(SERVER, environment("estiva", ESTIVA.packages)) as started:
            seen = soak(started, arguments.minutes * 60, arguments.seed)
            replaced = restarts(started)
    except (InstallError, ServingError) as error:
        sys.exit(str(error))
    report(seen, arguments.seed)
    found = targets(seen)
    print(*found, sep="\n")
    print(f"workers replaced: {replaced}; failures that nothing explains: {len(seen.unexplained)}")
    if seen.unexplained or not all(target.met for target in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
