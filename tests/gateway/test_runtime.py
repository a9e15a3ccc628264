from __future__ import annotations

import socket
from pathlib import Path

import pytest

from estiva.errors import GatewayException
from estiva.gateway.runtime import (
    Key,
    NotRunning,
    Runtime,
    Server,
    Workers,
    parse_information,
    parse_servers,
    parse_workers,
)
from estiva.home import Home


def test_workers_before_and_after_a_reload() -> None:
    assert parse_workers(
        "#<PID>          <type>          <reloads>       <uptime>        <version>\n"
        "70              master          1 [failed: 0]   0d00h00m08s     2.8.25\n"
        "# workers\n"
        "83              worker          0               0d00h00m00s     2.8.25\n"
        "# old workers\n"
        "76              worker          1               0d00h00m08s     2.8.25\n"
        "# programs\n"
    ) == Workers(70, 83, (76,))
    assert parse_workers("#<PID> <type>\n70 master 0\n# workers\n").all == ()


def test_servers() -> None:
    answer = (
        "# pxname,svname,qcur,qmax,scur,smax,status,\n"
        "sum,g1-0,1,2,3,4,MAINT,\n"
        "sum,g2-0,0,0,0,1,no check,\n"
        "other.one,g1-0,0,0,0,1,DOWN 1/3,\n"
    )
    assert parse_servers(answer) == {
        Key("sum", "g1-0"): Server(serving=False, requests=4),
        Key("sum", "g2-0"): Server(serving=True, requests=0),
        Key("other.one", "g1-0"): Server(serving=True, requests=0),
    }


def test_information() -> None:
    assert parse_information("Name: HAProxy\ndescription: abc\n")["description"] == "abc"


@pytest.mark.parametrize("answer", ["", "Unknown command", "Can't find the target PID"])
def test_an_answer_that_is_no_answer_is_an_error(answer: str) -> None:
    with pytest.raises(GatewayException):
        parse_workers(answer)
    with pytest.raises(GatewayException):
        parse_servers(answer)


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(NotRunning):
        Runtime(tmp_path / "none.sock").send("show proc")


def test_somebody_who_does_not_answer_is_not_waited_for(home: Home) -> None:
    path = home.runtime / "mute.sock"
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(path))
        mute.listen()
        with pytest.raises(GatewayException) as raised:
            Runtime(path, timeout=0.05).send("show proc")
    assert raised.value.code == "GatewayUnresponsive"
