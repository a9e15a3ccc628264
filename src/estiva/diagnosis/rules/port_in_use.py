"""The port that the service is to be published at is taken."""

from __future__ import annotations

from estiva.diagnosis import tracebacks
from estiva.records import Evidence, Finding
from estiva_server import contract


def check(evidence: Evidence) -> Finding | None:
    if evidence.code != "PortInUse" and evidence.exit_code != contract.EXIT_ADDRESS_IN_USE:
        return None
    what = evidence.error if evidence.code == "PortInUse" else tracebacks.sentence(evidence) or evidence.error
    return Finding(
        code="PortInUse",
        title="The port is in use",
        what=what,
        why="Two programs cannot listen on one port.",
        todo=(
            "Deploy with another port, or leave the port out to get a free one.",
            "Or end the program that has it.",
        ),
    )
