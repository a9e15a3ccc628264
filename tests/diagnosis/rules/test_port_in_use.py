from __future__ import annotations

from estiva.diagnosis import diagnose
from estiva.findings import render
from estiva.records import Evidence, StepName

SHOWN = """\
The port is in use
  what      Port 8890 on 127.0.0.1 is in use by python (process 17).
  why       Two programs cannot listen on one port.
  to do     Deploy with another port, or leave the port out to get a free one.
            Or end the program that has it."""


def test_control_found_it_taken() -> None:
    said = "Port 8890 on 127.0.0.1 is in use by python (process 17)."
    assert render(diagnose(Evidence(step=StepName.VALIDATE, code="PortInUse", error=said))) == SHOWN


def test_the_scoring_server_found_it_taken() -> None:
    log = (
        "2026-11-23T23:05:00.123Z estiva-server: Port 8890 on 127.0.0.1 is in use by python (process 17).",
    )
    seen = Evidence(step=StepName.INIT, code="ReplicaExited", error="It ended.", exit_code=6, log_tail=log)
    assert render(diagnose(seen)) == SHOWN
