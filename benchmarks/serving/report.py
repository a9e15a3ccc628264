"""Tables of ratios, and whether the targets are met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What one figure of ours is to be, as a multiple of another's."""

    said: str
    ratio: float
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> bool:
        return (self.least is None or self.ratio >= self.least) and (
            self.most is None or self.ratio <= self.most
        )

    def __str__(self) -> str:
        bound = f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"
        return f"{self.said:58} {self.ratio:7.2f} x  {bound} x: {'met' if self.met else 'MISSED'}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need to be; the first to the left, the others to the right."""
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


FIGURES = {
    "rps at 1": (1.0, ",.0f"),
    "rps at 16": (1.0, ",.0f"),
    "rps at 64": (1.0, ",.0f"),
    "p50 at 1": (1e6, ",.0f us"),
    "start": (1.0, ".2f s"),
    "worker": (1 / 2**20, ",.0f MiB"),
    "total": (1 / 2**20, ",.0f MiB"),
}
"""The columns: by what a figure is multiplied, how it is written, and its unit."""


def row(name: str, figures: Mapping[str, float]) -> list[str]:
    cells = []
    for figure, (factor, form) in FIGURES.items():
        number, _, unit = form.partition(" ")
        cells.append(f"{format(figures[figure] * factor, number)} {unit}".strip())
    return [name, *cells]


def ratios(name: str, figures: Mapping[str, float], ours: Mapping[str, float]) -> list[str]:
    """What ours is as a multiple of theirs."""
    return [f"ours / {name}", *(f"{ours[figure] / figures[figure]:.2f} x" for figure in FIGURES)]
