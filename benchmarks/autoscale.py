"""503s against replica-seconds: Estiva's autoscaling beside azureml-fe's and Knative's, simulated.

Requests, run times and seeds are the same for each rule, and so is the gateway's queue; a rule's target
utilization runs from low to high, which trades replicas for 503s. How fast the machine is changes no figure.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.scaling.comparison import (
    DEFAULT,
    SETS,
    STARTS,
    Case,
    Curve,
    Outcome,
    cases,
    compare,
    curves,
    of_trace,
)
from benchmarks.scaling.rules import NAMES


def show_traces(outcomes: dict[Case, Outcome], start: float) -> None:
    print(f"\nAt {DEFAULT.target_utilization:.0%}, a replica starts in {start:g} s.")
    print("503s; replica-seconds per second of work; changes of the number of replicas:")
    print(f"{'':24}" + "".join(f"{name:^24}" for name in NAMES))
    for kind, found in SETS.items():
        for trace in found:
            row = (of_trace(outcomes, name, kind, start, trace) for name in NAMES)
            cells = (f"{one.rejected_share:8.2%} {one.cost:6.2f} {one.changes:5.0f}   " for one in row)
            print(f"{kind[:4]}  {trace.name:18}" + "".join(cells).rstrip())


def show_curves(outcomes: dict[Case, Outcome]) -> bool:
    """Prints our default beside the others at the same cost; whether it has fewer 503s everywhere."""
    print("\nOur default, and the 503s of the others where they cost the same:")
    print(f"{'traces':10}{'start':>6}{'cost':>7}" + "".join(f"{name:>12}" for name in NAMES))
    below = True
    for kind in SETS:
        for start in STARTS:
            ours, *others = curves(outcomes, kind, start)
            default = ours.points[DEFAULT.target_utilization]
            found = [other.rejected_share_at(default.cost) for other in others]
            below = below and all(share is not None and default.rejected_share < share for share in found)
            cells = "".join(f"{share:>12.2%}" for share in (default.rejected_share, *map(_known, found)))
            print(f"{kind:10}{start:>4g} s{default.cost:>7.2f}{cells}")
    return below


def _known(share: float | None) -> float:
    return float("nan") if share is None else share


def show_sweep(found: list[Curve]) -> None:
    for curve in found:
        points = (f"{target:.0%} {x.cost:.2f} {x.rejected_share:.2%}" for target, x in curve.points.items())
        print(f"  {curve.rule:11}" + "; ".join(points))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--charts", type=Path, help="folder to draw the charts into")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if our default is not below both")
    arguments = parser.parse_args()
    with ProcessPoolExecutor(arguments.processes) as executor:
        outcomes = compare(cases(), executor)
    for start in STARTS:
        show_traces(outcomes, start)
    for kind in SETS:
        for start in STARTS:
            print(f"\nTarget, cost, 503s: {kind} traces, start {start:g} s")
            show_sweep(curves(outcomes, kind, start))
    below = show_curves(outcomes)
    print("Our default is below both everywhere." if below else "Our default is NOT below both everywhere.")
    if arguments.charts:
        from benchmarks.scaling.charts import draw

        for path in draw(outcomes, arguments.charts):
            print(f"Drew {path}")
    if not below and arguments.strict:
        sys.exit(1)


if __name__ == "__main__":
    main()
