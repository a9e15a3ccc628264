"""How many replicas a load needs: the sizing rule, with its units.

The rule is the one that Azure ML publishes for its inference router: replicas = ceil(requests per second x
seconds per request / target utilization / concurrency per replica). Requests per second times seconds per
request is the number that run at a time on average (Little's law); the utilization leaves room for chance.
"""

from __future__ import annotations

import math
import re

from estiva.errors import UserErrorException

TARGET_UTILIZATION = 0.7
_DIGITS = 9


def replicas(
    rps: float, seconds: float, concurrency: int = 1, utilization: float = TARGET_UTILIZATION
) -> int:
    """Replicas for `rps` requests per second that run for `seconds` each, `concurrency` at a time in each.

    Utilization is a fraction. At least 1. Raises UserErrorException for figures that have no answer.
    """
    for name, value in {"requests per second": rps, "seconds per request": seconds}.items():
        if not (math.isfinite(value) and value >= 0):
            raise UserErrorException(f"The {name} must be 0 or more, not {value:g}.")
    if concurrency < 1:
        raise UserErrorException(f"The concurrency of a replica must be 1 or more, not {concurrency}.")
    if not 0 < utilization <= 1:
        raise UserErrorException(f"The utilization must be above 0 and at most 1, not {utilization:g}.")
    return max(1, replicas_for(rps * seconds, concurrency, utilization))


def replicas_for(running: float, concurrency: int, utilization: float) -> int:
    """Replicas for so many requests that run at a time; 0 for none."""
    # Rounded first: 2.1 / 0.7 is a little more than 3 in floating point.
    return math.ceil(round(running / utilization / concurrency, _DIGITS))


def read_utilization(text: str) -> float:
    """ "70", "70%" and "0.7" -> 0.7: a number above 1 is a percentage. Raises UserErrorException."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(%?)\s*", text)
    if match is None:
        raise UserErrorException(
            f'"{text}" is not a utilization. Give a percentage or a fraction: 70, 70% or 0.7.'
        )
    number = float(match[1])
    fraction = number / 100 if match[2] or number > 1 else number
    if not 0 < fraction <= 1:
        raise UserErrorException(f"A utilization is above 0 and at most 100 %, not {text.strip()}.")
    return fraction
