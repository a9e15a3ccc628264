"""The listening socket. The supervisor keeps it open, so connections wait while a worker is replaced."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

from estiva_server.contract import EXIT_ADDRESS_IN_USE, EXIT_USAGE
from estiva_server.settings import Settings

BACKLOG = 1024


class ListenError(Exception):
    """The address cannot be had: a sentence for the user, and the exit status that says which kind."""

    def __init__(self, sentence: str, exit_code: int = EXIT_USAGE) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def listen(settings: Settings) -> socket.socket:
    """Bind and listen, non-blocking. Raises ListenError."""
    path = settings.unix_socket
    listener = _bind_tcp(settings.host, settings.port) if path is None else _bind_unix(path)
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def _bind_tcp(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ListenError(f"The host {host!r} is not an address of this machine ({error}).") from error
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise _refused(error, host, port) from error
    return listener


def _refused(error: OSError, host: str, port: int) -> ListenError:
    if error.errno == errno.EADDRINUSE:
        return ListenError(
            f"Port {port} on {host} is in use by another program. Stop it, or choose another with --port.",
            EXIT_ADDRESS_IN_USE,
        )
    return ListenError(f"Cannot listen on port {port} of {host}: {os.strerror(error.errno or 0)}.")


def _bind_unix(path: Path) -> socket.socket:
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # Whoever may connect may score: only the owner.
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except OSError as error:
        listener.close()
        raise ListenError(
            f"Cannot listen on {path}: {error}. The folder must exist and the path be shorter than 108 bytes."
        ) from error
    finally:
        os.umask(mask)
    return listener


def _clear(path: Path) -> None:
    """Remove the socket file that a killed server left; refuse when someone answers, or it is no socket."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ListenError(
            f"{path} exists and is not a socket. Move it away, or choose another --unix-socket."
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError:
            pass  # its queue is full, or it is not ours: somebody is there
    raise ListenError(f"Another server listens on {path}. Stop it first.", EXIT_ADDRESS_IN_USE)
