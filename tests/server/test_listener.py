from __future__ import annotations

import socket
from pathlib import Path

import pytest

from estiva_server import contract
from estiva_server.listener import ListenError, listen
from estiva_server.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(app_root=tmp_path, unix_socket=tmp_path / "s")


def test_a_tcp_port(tmp_path: Path) -> None:
    with listen(Settings(app_root=tmp_path, port=0)) as listener:
        assert not listener.getblocking()
        with socket.create_connection(listener.getsockname(), 1):
            pass


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            listen(Settings(app_root=tmp_path, port=port))
    assert caught.value.exit_code == contract.EXIT_ADDRESS_IN_USE


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match=r"Cannot listen on port 5001 of 192\.0\.2\.1") as caught:
        listen(Settings(app_root=tmp_path, host="192.0.2.1"))
    assert caught.value.exit_code == contract.EXIT_USAGE


def test_a_name_that_is_no_host(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="'no host' is not an address"):
        listen(Settings(app_root=tmp_path, host="no host"))


def test_a_stale_socket_file_is_replaced(settings: Settings) -> None:
    listen(settings).close()
    assert settings.unix_socket is not None
    assert settings.unix_socket.exists()
    with listen(settings), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(settings.unix_socket))


def test_a_socket_in_use(settings: Settings) -> None:
    with listen(settings), pytest.raises(ListenError, match="Another server listens on") as caught:
        listen(settings)
    assert caught.value.exit_code == contract.EXIT_ADDRESS_IN_USE


def test_a_file_in_the_way_is_kept(settings: Settings) -> None:
    assert settings.unix_socket is not None
    settings.unix_socket.write_text("precious")
    with pytest.raises(ListenError, match="exists and is not a socket"):
        listen(settings)
    assert settings.unix_socket.read_text() == "precious"


def test_a_socket_path_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(ListenError, match="shorter than 108 bytes"):
        listen(Settings(app_root=tmp_path, unix_socket=tmp_path / ("s" * 120)))
