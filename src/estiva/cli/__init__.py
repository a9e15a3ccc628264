"""The `estiva` command: one file per noun, over the SDK."""

from __future__ import annotations

import sys
from enum import IntEnum

import typer

from estiva import __version__
from estiva.cli import (
    certificate,
    data,
    debug,
    deploy,
    diagnose,
    doctor,
    endpoint,
    environment,
    manifests,
    ml,
    model,
    package,
    replicas,
    server,
    service,
    trial,
    tutorial,
    workspace,
)
from estiva.cli.output import wrapped
from estiva.errors import ControlServerException, EstivaError


class ExitCode(IntEnum):
    """What the exit status of a command means; 2 is a usage error and 130 an interrupt, as everywhere."""

    FAILED = 1
    NOT_FOUND = 4
    NO_CONTROL_SERVER = 5


app = typer.Typer(
    name="estiva",
    help="From a trained model file to a running, explainable web service, on your own machines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    epilog="First time here?  `estiva demo` shows the whole loop in a minute.",
)
for commands in (deploy, debug, package, manifests, trial, tutorial, replicas, diagnose, doctor, server):
    commands.add_to(app)
for noun in (workspace, model, environment, service, endpoint, certificate, data, ml):
    app.add_typer(noun.app)


def show_version(wanted: bool) -> None:
    if wanted:
        print(f"estiva {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and end.", callback=show_version, is_eager=True
    ),
) -> None:
    """From a trained model file to a running, explainable web service, on your own machines."""


def main() -> None:
    """Runs the command; an error of ours or the system's is a sentence on stderr and an exit status."""
    try:
        app()
    except EstivaError as error:
        print(wrapped(f"Error: {error.message}"), file=sys.stderr)
        sys.exit(exit_code(error))
    except OSError as error:
        print(wrapped(f"Error: {error}."), file=sys.stderr)
        sys.exit(ExitCode.FAILED)


def exit_code(error: EstivaError) -> ExitCode:
    if isinstance(error, ControlServerException):
        return ExitCode.NO_CONTROL_SERVER
    return ExitCode.NOT_FOUND if error.code.endswith("NotFound") else ExitCode.FAILED
