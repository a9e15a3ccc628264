"""Debug mode: from what was asked for to what a generation is like that a debugger can attach to."""

from __future__ import annotations

from estiva.errors import WebserviceException
from estiva.gateway import ports
from estiva.messages import DebugRequest
from estiva.records import Debugger, DeploymentSpec

HOST = "127.0.0.1"
"""Whoever reaches a debugger's port can run code as its owner."""
USUAL_PORT = 5678


def debugged(spec: DeploymentSpec, wanted: DebugRequest) -> DeploymentSpec:
    """The generation as a debugger can attach to it. WebserviceException if it cannot have the port."""
    before = spec.settings.debugger
    debugger = Debugger(port=_port(before.port if before else None, wanted.port), wait=wanted.wait)
    return _with(spec, debugger)


def undebugged(spec: DeploymentSpec) -> DeploymentSpec:
    """The generation as it is without a debugger."""
    return _with(spec, None)


def _with(spec: DeploymentSpec, debugger: Debugger | None) -> DeploymentSpec:
    settings = spec.settings.model_copy(update={"debugger": debugger})
    return spec.model_copy(update={"settings": settings})


def _port(before: int | None, wanted: int | None) -> int:
    """The one that is asked for, else as before, else the usual one, else any that is free."""
    if wanted is None and before is None:
        return ports.free_port(HOST) if ports.holder(HOST, USUAL_PORT) else USUAL_PORT
    port = wanted or before or USUAL_PORT
    holder = None if port == before else ports.holder(HOST, port)
    if holder is not None:
        raise WebserviceException(
            f"Port {port} on {HOST} is in use by {holder}. Choose another for the debugger, leave the port "
            "out to get a free one, or end that program.",
            code="PortInUse",
        )
    return port
