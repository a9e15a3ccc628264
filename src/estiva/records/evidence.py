"""What was seen when something failed, and what it means."""

from __future__ import annotations

from enum import Enum

from estiva.records.base import Record


class StepName(str, Enum):
    VALIDATE = "validate"
    ENVIRONMENT = "environment"
    IMAGE = "image"
    SCHEDULE = "schedule"
    START = "start"
    INIT = "init"
    HEALTH = "health"
    ROUTE = "route"


class Traceback(Record):
    """The last frame in the user's own code, and the exception, read from a Python traceback."""

    file: str
    line: int
    function: str
    source: str = ""
    exception: str
    message: str = ""


class Evidence(Record):
    """What was seen when a step failed; bounded in size."""

    step: StepName
    error: str = ""
    """The message of the exception that ended the step, if one did."""
    code: str = ""
    """Its stable code."""
    detail: str = ""
    exit_code: int | None = None
    signal: int | None = None
    log_tail: tuple[str, ...] = ()
    entry_script: str = ""
    packages: tuple[str, ...] = ()
    """Names and versions in the environment, "numpy==1.26.4"."""


class Finding(Record):
    """A diagnosed problem."""

    code: str
    title: str
    what: str
    why: str = ""
    evidence: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()
    certainty: float = 1.0
    """1 when the evidence proves it; findings are shown in descending order."""
