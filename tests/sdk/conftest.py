"""A control server that answers as the test says, on the socket of a throw-away home."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estiva import __version__
from estiva.home import Home
from estiva.sdk.connection import connect
from tests.sdk.answering import Script, answering, of_json

STATUS = {
    "version": __version__,
    "pid": 1,
    "home": "/home/ana/.estiva",
    "seconds_up": 1.5,
    "services": 0,
    "gateway": "HAProxy",
}


@pytest.fixture
def control(home: Home) -> Iterator[Script]:
    script = Script()
    script.on("GET", "/status", of_json(STATUS))
    with answering(script, home.control_socket):
        yield script
        connect().close()
