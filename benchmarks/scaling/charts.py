"""The charts of docs/autoscaling.md, as SVG that is the same for the same figures."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.scaling.comparison import DEFAULT, SEEDS, SETS, STARTS, Case, Curve, Outcome, curves, run
from benchmarks.scaling.rules import NAMES

COLOURS = {"Estiva": "#0b6e4f", "azureml-fe": "#1f5fa8", "Knative": "#c2571a"}
SHOWN = (("tuning", 2), ("tuning", 4), ("held out", 5))
"""The traces whose replicas are drawn over time: a spike, a day, and bursts of the traces kept out."""
SHOWN_START = 10.0
_NO_DATE = {"Date": None, "Creator": None, "Format": None, "Type": None}


def draw(outcomes: dict[Case, Outcome], folder: Path) -> list[Path]:
    with mpl.rc_context({"svg.hashsalt": "estiva", "svg.fonttype": "none", "font.size": 9}):
        drawn = {"autoscaling-curves.svg": _curves(outcomes), "autoscaling-replicas.svg": _replicas()}
        for name, figure in drawn.items():
            figure.savefig(folder / name, metadata=_NO_DATE)
    return [folder / name for name in drawn]


def _curves(outcomes: dict[Case, Outcome]) -> Figure:
    figure = Figure(figsize=(10, 6.4), layout="constrained")
    axes = figure.subplots(len(SETS), len(STARTS), sharex=True, sharey=True)
    for row, kind in enumerate(SETS):
        for column, start in enumerate(STARTS):
            panel = axes[row][column]
            panel.set_title(f"{kind} traces, start {start:g} s")
            for curve in curves(outcomes, kind, start):
                _curve(panel, curve)
    for panel in axes[-1]:
        panel.set_xlabel("replica-seconds per second of work")
    for panel in axes[:, 0]:
        panel.set_ylabel("share of 503s, %")
    axes[0][0].legend(frameon=False)
    return figure


def _curve(panel: Axes, curve: Curve) -> None:
    points = sorted(curve.points.values(), key=lambda point: point.cost)
    colour = COLOURS[curve.rule]
    shares = [100 * point.rejected_share for point in points]
    panel.plot([point.cost for point in points], shares, ".-", color=colour, label=curve.rule, linewidth=1)
    default = curve.points[DEFAULT.target_utilization]
    panel.plot([default.cost], [100 * default.rejected_share], "o", color=colour, markersize=8)
    panel.set_yscale("log")
    panel.set_xlim(1, 8)
    panel.grid(alpha=0.3)


def _replicas() -> Figure:
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    panels = figure.subplots(len(SHOWN), 1)
    for panel, (kind, number) in zip(panels, SHOWN, strict=True):
        trace = SETS[kind][number]
        panel.set_title(f"{trace.name} per request, start {SHOWN_START:g} s")
        times = [float(second) for second in range(0, int(trace.seconds), 2)]
        load = [trace.rate(time) for time in times]
        panel.fill_between(times, load, color="#bbbbbb", step="post", label="work that comes", linewidth=0)
        for name in reversed(NAMES):  # ours on top, where they are one line
            _ready(panel, Case(name, DEFAULT.target_utilization, SHOWN_START, kind, number, SEEDS[kind][0]))
        panel.set_ylabel("ready replicas")
    panels[0].legend(frameon=False, ncols=4)
    panels[-1].set_xlabel("seconds")
    return figure


def _ready(panel: Axes, case: Case) -> None:
    points = run(case).points
    changed = [
        point
        for number, point in enumerate(points)
        if number in (0, len(points) - 1) or point.ready != points[number - 1].ready
    ]
    times, ready = [point.time for point in changed], [point.ready for point in changed]
    panel.step(times, ready, where="post", color=COLOURS[case.rule], label=case.rule, linewidth=1.2)
