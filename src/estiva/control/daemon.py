"""The process: one per home, on a Unix socket that only its owner can reach."""

from __future__ import annotations

import fcntl
import logging
import logging.handlers
import os
import socket
from contextlib import closing
from io import TextIOWrapper

import structlog
import uvicorn

from estiva.control import api
from estiva.control.server import Server
from estiva.home import Home

log = structlog.get_logger()

_LOG_BYTES = 10 * 1024 * 1024
_LOG_FILES = 3
_SHUTDOWN_SECONDS = 5


def run(home: Home) -> int:
    """Serves until it is told to end. 0 too if another control server of this home runs already."""
    home.create()
    lock = take_lock(home)
    if lock is None:
        return 0
    with closing(lock):
        configure_logging(home)
        serve(home)
    return 0


def take_lock(home: Home) -> TextIOWrapper | None:
    """The lock that makes this the only control server of the home, for as long as the file is open."""
    lock = home.control_lock.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def serve(home: Home) -> None:
    listener = listen(home)
    config = uvicorn.Config(
        app="", log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_SHUTDOWN_SECONDS
    )
    http = uvicorn.Server(config)

    def request_exit() -> None:
        http.should_exit = True

    control = Server(home, request_exit)
    config.app = api.build(control)
    control.start()
    log.info("control server started", pid=os.getpid(), home=str(home.root))
    try:
        http.run(sockets=[listener])
    finally:
        home.control_socket.unlink(missing_ok=True)
        control.close()
        log.info("control server ended", pid=os.getpid())


def listen(home: Home) -> socket.socket:
    """Holding the lock, we may replace a socket that a killed control server left."""
    home.control_socket.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(home.control_socket))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener


def configure_logging(home: Home) -> None:
    handler = logging.handlers.RotatingFileHandler(
        home.control_log, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8"
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
