"""Traffic: rates over time, and the requests that follow from them, the same for every rule."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Rate = Callable[[float], float]
"""Replicas' worth of work that comes at a moment: requests per second x seconds per request."""


@dataclass(frozen=True)
class Request:
    time: float
    run_seconds: float


@dataclass(frozen=True)
class Trace:
    """A shape of traffic, for a model of one speed; it asks as much of a slow one as of a quick one."""

    name: str
    seconds: float
    rate: Rate
    peak: float
    """The most that `rate` reaches."""
    run_seconds: float
    """Mean, of the requests."""
    spread: float = 0.5
    """Standard deviation of a request's run time, as a share of its mean."""

    def requests(self, seed: int) -> list[Request]:
        """A Poisson process of that rate, by thinning; run times are gamma-distributed."""
        chance = random.Random(f"{self.name} {seed}")
        return list(self._requests(chance))

    def _requests(self, chance: random.Random) -> Iterator[Request]:
        time = 0.0
        while (time := time + chance.expovariate(self.peak / self.run_seconds)) < self.seconds:
            if chance.random() * self.peak < self.rate(time):
                yield Request(time, self._run(chance))

    def _run(self, chance: random.Random) -> float:
        if self.spread == 0:
            return self.run_seconds
        shape = 1 / self.spread**2
        return chance.gammavariate(shape, self.run_seconds / shape)


def steady(level: float) -> Rate:
    return lambda _: level


def ramp(low: float, high: float, begin: float, end: float) -> Rate:
    return lambda t: low + (high - low) * min(1.0, max(0.0, (t - begin) / (end - begin)))


def spike(low: float, high: float, begin: float, end: float) -> Rate:
    return lambda t: high if begin <= t < end else low


def sawtooth(low: float, high: float, period: float) -> Rate:
    return lambda t: low + (high - low) * (t % period) / period


def square(low: float, high: float, period: float) -> Rate:
    return lambda t: high if t % period >= period / 2 else low


def day(low: float, high: float, period: float) -> Rate:
    """A day's curve, in `period` seconds: quiet at both ends."""
    return lambda t: low + (high - low) * (1 - math.cos(2 * math.pi * t / period)) / 2


def bursts(low: float, high: float, seed: int, calm: float, busy: float, seconds: float) -> Rate:
    """Switches between two levels at random (a Markov-modulated Poisson process)."""
    chance = random.Random(f"bursts {seed}")
    changes, time, level = [], 0.0, low
    while time < seconds:
        changes.append((time, level))
        time += chance.expovariate(1 / (calm if level == low else busy))
        level = high if level == low else low
    return steps(changes, low)


def steps(levels: Sequence[tuple[float, float]], otherwise: float) -> Rate:
    """A level from each of the moments on, until the next; `otherwise` before the first."""
    return lambda t: next((level for begin, level in reversed(levels) if begin <= t), otherwise)


def tuning() -> list[Trace]:
    """What the rule was tuned on: requests of 0.1 s and 1 s."""
    seconds = 600.0
    shapes: dict[str, tuple[float, Rate]] = {
        "steady": (3, steady(3)),
        "ramp": (6, ramp(1, 6, 120, 360)),
        "spike x10": (6, spike(0.6, 6, 200, 220)),
        "sawtooth": (5.5, sawtooth(0.5, 5.5, 120)),
        "day": (6, day(0.3, 6, seconds)),
        "bursts": (5, bursts(1, 5, seed=1, calm=60, busy=20, seconds=seconds)),
    }
    return [
        Trace(f"{name}, {run:g} s", seconds, rate, peak, run)
        for run in (0.1, 1.0)
        for name, (peak, rate) in shapes.items()
    ]


def held_out() -> list[Trace]:
    """Other shapes, run times, spreads and seeds: run once, when the rule was settled."""
    seconds = 900.0
    two = [(250.0, 7.0), (310.0, 1.2), (600.0, 7.0), (608.0, 1.2)]
    shapes: dict[str, tuple[float, Rate]] = {
        "steady": (4, steady(4)),
        "nearly idle": (0.5, steady(0.5)),
        "square": (6, square(2, 6, 240)),
        "two spikes": (7, steps(two, 1.2)),
        "fall": (7, ramp(7, 1.5, 300, 330)),
        "bursts": (5, bursts(0.8, 5, seed=23, calm=40, busy=25, seconds=seconds)),
    }
    return [
        Trace(f"{name}, {run:g} s", seconds, rate, peak, run, spread=1.0)
        for run in (0.2, 4.0)
        for name, (peak, rate) in shapes.items()
    ]
