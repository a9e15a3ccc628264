"""`estiva up`, `status` and `down`: the control server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from estiva.cli.output import Bytes, Format, Output, cell, duration, show_fields, show_rows
from estiva.errors import RunEnvironmentException
from estiva.messages import PruneResult

_UNIT = """[Unit]
Description=Estiva control server

[Service]
ExecStart={command}
KillMode=process
Restart=on-failure

[Install]
WantedBy=default.target
"""


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(status)
    app.command()(down)
    app.command()(prune)


def up(
    install: Annotated[
        bool,
        typer.Option("--install", help="Start it at login (systemd), so that services survive a reboot."),
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Start the control server; other commands do so themselves when they need it."""
    from estiva.sdk.connection import connect

    if install:
        install_unit()
    connect().ensure()
    status(output)


def status(output: Output = Format.TABLE) -> None:
    """Show whether the control server runs, and what it owns. Exit status 1 if it does not run."""
    from estiva.sdk.connection import connect

    connection = connect()
    found = connection.status()
    if found is None:
        show_fields({"running": False, "home": str(connection.home.root)}, output)
        raise typer.Exit(1)
    fields = {"running": True, **found.model_dump(), "log": str(connection.home.control_log)}
    if output is Format.TABLE:
        fields["up_for"] = duration(fields.pop("seconds_up"))
    show_fields(fields, output)


def down() -> None:
    """End the control server. Services go on serving; nobody watches over them until it runs again."""
    from estiva.sdk.connection import connect

    ended = connect().stop()
    typer.echo(
        "The control server ended; services go on." if ended else "The control server was not running."
    )


def unit_text(python: str, home: Path) -> str:
    """The unit that starts the control server of that home."""
    return _UNIT.format(command=" ".join(map(_word, (python, "-m", "estiva.control", "--home", str(home)))))


def _word(text: str) -> str:
    """One word of a command line in a unit of systemd, whatever characters it has."""
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        text = text.replace(character, written)
    return f'"{text}"'


def install_unit() -> None:
    """A user unit of systemd. Raises RunEnvironmentException where there is no systemd for the user."""
    from estiva.home import Home

    if shutil.which("systemctl") is None:
        raise RunEnvironmentException(
            "There is no systemd on this machine, so the control server cannot be installed as a service. "
            "Start `estiva up` from what starts programs at login here.",
            code="NoSystemd",
        )
    folder = Path.home() / ".config/systemd/user"
    folder.mkdir(parents=True, exist_ok=True)
    unit = folder / "estiva.service"
    unit.write_text(unit_text(sys.executable, Home.current().create().root))
    enabled = subprocess.run(
        ["systemctl", "--user", "enable", unit.name], check=False, capture_output=True, text=True, timeout=30
    )
    if enabled.returncode:
        raise RunEnvironmentException(
            f"{unit} was written, but systemd did not enable it: {enabled.stderr.strip()}. "
            f"Enable it in a login session: systemctl --user enable {unit.name}",
            code="SystemdFailed",
        )
    typer.echo(f"Installed {unit}; it starts with your session (loginctl enable-linger: with the machine).")


def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be freed.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Free the disk of environments and packages that nothing needs any more."""
    from estiva.sdk.connection import connect

    found = PruneResult.model_validate(
        connect().request("POST", "/prune", params={"dry_run": str(dry_run).lower()})
    )
    rows = [{"kind": one.kind, "name": one.name[:16], "size": Bytes(one.bytes)} for one in found.freed]
    show_rows(rows, ["kind", "name", "size"], output, "There is nothing to free.")
    if rows and output is Format.TABLE:
        total = cell(Bytes(sum(one.bytes for one in found.freed)))
        typer.echo(f"{'Would free' if dry_run else 'Freed'} {total}.")
