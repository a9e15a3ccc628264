"""How a handler reaches what the control server composes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from estiva.control.server import Server
from estiva.records import ServiceKey


def _server(request: Request) -> Server:
    control: Server = request.app.state.control
    return control


Control = Annotated[Server, Depends(_server)]


def _key(workspace: str, name: str, version: str | None = None) -> ServiceKey:
    return ServiceKey(workspace=workspace, service=name, version=version)


Key = Annotated[ServiceKey, Depends(_key)]
"""What the path names: a service, an endpoint, or a version of one."""
