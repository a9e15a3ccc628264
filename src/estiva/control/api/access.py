"""How a handler reaches what the control server composes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from estiva.control.server import Server


def _server(request: Request) -> Server:
    control: Server = request.app.state.control
    return control


Control = Annotated[Server, Depends(_server)]
