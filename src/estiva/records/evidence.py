"""What was seen when something failed, and what it means."""

from __future__ import annotations

from enum import Enum

from estiva.records.base import Record


class StepName(str, Enum):
    """The steps of a deployment; and RUN, for what goes wrong in a service that runs."""

    VALIDATE = "validate"
    ENVIRONMENT = "environment"
    IMAGE = "image"
    SCHEDULE = "schedule"
    START = "start"
    INIT = "init"
    HEALTH = "health"
    ROUTE = "route"
    RUN = "run"


class Traceback(Record):
    """The last frame in the user's own code, and the exception, read from a Python traceback."""

    file: str
    line: int
    function: str
    source: str = ""
    exception: str
    message: str = ""
    package: str = ""
    """The folder of the installed package in which it was raised; empty if it was in the user's own code."""


class Answers(Record):
    """So many requests were answered with that status."""

    status: int
    end: str
    """How HAProxy says that they ended, two letters: "--" is well, "sQ" waited too long in the queue, ..."""
    count: int


class Traffic(Record):
    """What the gateway's access log says of a service's last minutes."""

    seconds: float
    """Over which the requests below came."""
    requests: int
    answers: tuple[Answers, ...] = ()
    busiest_rps: float = 0.0
    """Requests per second in the busiest ten seconds."""
    run_ms: float = 0.0
    """Mean time at a replica of the requests that were answered well."""


class Limits(Record):
    """How a service was sized when it was looked at."""

    replicas: int
    concurrency: int
    wait_ms: int
    timeout_ms: int


class Evidence(Record):
    """What was seen when a step failed, or of a service that runs; bounded in size, its secrets masked."""

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
    definitions: tuple[str, ...] = ()
    """What the entry script defines and where, "init: line 3", "init: line 9, below an if"."""
    packages: tuple[str, ...] = ()
    """Names and versions in the environment, "numpy==1.26.4"."""
    files: tuple[str, ...] = ()
    """What lay in the app root: the scripts and the models, by their path in it."""
    left_behind: tuple[str, ...] = ()
    """What lies beside the user's own entry script and was not shipped with it."""
    example: str = ""
    """A request that works, as the script's schema has it."""
    traffic: Traffic | None = None
    limits: Limits | None = None


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
