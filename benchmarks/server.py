"""Scoring: throughput, latency, start and memory of our server, its peers, and the limit below both.

Each server runs in an environment of its own, with one worker, and serves the same function: JSON, a product
with numpy, JSON. In each round each server is started, checked, driven by wrk with one thread, weighed and
ended, one after the other, so that whatever else slows the machine down slows all of them; what counts is the
ratio of the medians. The limit is the same function as a bare WSGI callable on the native server that ours
is built on: no ids, no metrics, no deadline.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.serving.bodies import measure_bodies
from benchmarks.serving.environments import InstallError, environment, version
from benchmarks.serving.peers import ESTIVA, EXPECTED, LIMIT, OFFICIAL, PEERS, Server
from benchmarks.serving.processes import ServingError
from benchmarks.serving.report import FIGURES, Target, ratios, row, table
from benchmarks.serving.samples import Sample, middle, take_sample
from benchmarks.serving.workers import measure_batches, measure_workers
from benchmarks.serving.wrk import is_installed

SECONDS = 4
QUICK_SECONDS = 1

Figures = dict[str, dict[str, float]]


def install(servers: list[Server], reasons: dict[str, str]) -> dict[Server, Path]:
    """The programs of each server; why one could not be installed is noted in `reasons`."""
    return {server: folder for server in servers if (folder := _install(server, reasons)) is not None}


def _install(server: Server, reasons: dict[str, str]) -> Path | None:
    name = "estiva" if server.packages == ESTIVA.packages else server.distribution
    try:
        return environment(name, server.packages)
    except InstallError as error:
        reasons[server.name] = str(error)
        return None


def measure(programs: dict[Server, Path], rounds: int, seconds: int, reasons: dict[str, str]) -> Figures:
    """The medians of each server; one that fails is left out from then on, and why is noted in `reasons`."""
    samples: dict[str, list[Sample]] = {}
    for number in range(1, rounds + 1):
        for server, folder in programs.items():
            if server.name in reasons:
                continue
            print(f"round {number}: {server.name}", file=sys.stderr)
            try:
                samples.setdefault(server.name, []).append(take_sample(server, folder, seconds))
            except (ServingError, ValueError) as error:
                reasons[server.name] = str(error)
    return {name: middle(taken) for name, taken in samples.items() if name not in reasons}


def targets(figures: Figures) -> list[Target]:
    """Those whose both sides were measured."""
    ours = figures[ESTIVA.name]
    found = []
    if OFFICIAL.name in figures:
        official = figures[OFFICIAL.name]

        def ratio(figure: str) -> float:
            return ours[figure] / official[figure]

        found += [
            Target("throughput at 16 connections to the official server's", ratio("rps at 16"), least=15),
            Target("median latency at 1 connection to the official server's", ratio("p50 at 1"), most=0.25),
            Target("start to the first answer to the official server's", ratio("start"), most=0.7),
            Target("memory of one worker to the official server's", ratio("worker"), most=0.7),
        ]
    if LIMIT.name in figures:
        limit = ours["rps at 16"] / figures[LIMIT.name]["rps at 16"]
        found.append(Target("throughput at 16 connections to the limit's", limit, least=0.5))
    return found


def report(figures: Figures, programs: dict[Server, Path], reasons: dict[str, str], rounds: int) -> None:
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} CPUs, medians of {rounds} rounds")
    versions = {one.name: version(folder, one.distribution) for one, folder in programs.items()}
    rows = [row(f"{name} {versions[name]}", numbers) for name, numbers in figures.items()]
    ours = figures.get(ESTIVA.name)
    if ours is not None:
        rows += [ratios(name, numbers, ours) for name, numbers in figures.items() if numbers is not ours]
    print(table(["", *FIGURES], rows))
    for name, reason in reasons.items():
        print(f"{name} was not measured: {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", metavar="PEER", help="of the peers, those whose name contains this")
    parser.add_argument("--quick", action="store_true", help="one round of short loads, to see that it works")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    if not is_installed():
        sys.exit("wrk is not installed. On Debian and Ubuntu: apt-get install wrk")
    rounds, seconds = (1, QUICK_SECONDS) if arguments.quick else (arguments.rounds, SECONDS)
    wanted = (arguments.only or "").lower()
    reasons: dict[str, str] = {}
    peers = [one for one in PEERS if wanted in one.name.lower()]
    programs = install([ESTIVA, LIMIT, *peers], reasons)
    figures = measure(programs, rounds, seconds, reasons)
    report(figures, programs, reasons, rounds)
    if ESTIVA.name not in figures:
        sys.exit("Our own server could not be measured.")
    found = targets(figures)
    found += measure_bodies(programs[ESTIVA], rounds, EXPECTED[0])
    found.append(measure_workers(programs[ESTIVA], rounds, seconds))
    found.append(measure_batches(programs[ESTIVA], rounds, seconds))
    print(*found, sep="\n")
    if arguments.strict and not all(target.met for target in found):
        sys.exit(1)


if __name__ == "__main__":
    main()
