"""`estiva env`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from estiva.cli import completion
from estiva.cli.output import Format, Output, show_fields, show_json, show_rows
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.sdk.environment import Environment

app = typer.Typer(name="env", help="Environments: what score scripts need.", no_args_is_help=True)

SpecificationFile = Annotated[
    Path, typer.Argument(help="A conda YAML, or a pip requirements file (.txt).", exists=True, dir_okay=False)
]

Version = Annotated[str | None, typer.Option(help="Of a registered environment; else its newest.")]


@app.command(epilog="Example:  estiva env create my-env environment.yml")
def create(
    name: str, file: SpecificationFile, workspace: WorkspaceName = None, output: Output = Format.TABLE
) -> None:
    """Register an environment from a file."""
    registered = read(name, file).register(find(workspace))
    show_fields({"name": registered.name, "version": registered.version}, output)


@app.command("list")
def listing(workspace: WorkspaceName = None, output: Output = Format.TABLE) -> None:
    """List registered environments, the newest version of each."""
    from estiva.sdk.environment import Environment

    found = Environment.list(find(workspace)).values()
    rows = [{"name": environment.name, "version": environment.version} for environment in found]
    show_rows(
        rows,
        ["name", "version"],
        output,
        "No environments are registered yet; `estiva env create NAME FILE` registers one.",
    )


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A registered environment.", autocompletion=completion.environments)
    ],
    version: Version = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Show an environment's specification."""
    from estiva.sdk.environment import Environment

    environment = Environment.get(find(workspace), name, version)
    if output is Format.JSON:
        show_json(environment.to_specification().model_dump(mode="json"))
        return
    typer.echo(f"# {environment.name}, version {environment.version}")
    typer.echo(environment.python.conda_dependencies.serialize_to_string(), nl=False)


@app.command(epilog="Example:  estiva env build my-env    or    estiva env build environment.yml")
def build(
    name: Annotated[
        str,
        typer.Argument(help="A registered environment, or a file.", autocompletion=completion.environments),
    ],
    version: Version = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Resolve and build an environment now, so that deployments find it ready."""
    from estiva.sdk.environment import Environment

    found = find(workspace)
    is_file = Path(name).is_file()
    environment = read(Path(name).stem, Path(name)) if is_file else Environment.get(found, name, version)
    built = environment.build(found, show=lambda line: typer.echo(line, err=True))
    for notice in built.notices:
        typer.echo(f"note: {notice}", err=True)
    show_fields({"python": built.python, "packages": built.packages}, output)


def read(name: str, file: Path) -> Environment:
    """The environment that a file describes: requirements by the suffix .txt, else a conda YAML."""
    from estiva.sdk.environment import Environment

    if file.suffix == ".txt":
        return Environment.from_pip_requirements(name, file)
    return Environment.from_conda_specification(name, file)


def variables(file: Path | None) -> dict[str, str]:
    """NAME=VALUE lines of an environment file; blank lines and comments are skipped.

    Raises UserErrorException for any other line; it tells the place, not the line: that may be a secret.
    """
    if file is None:
        return {}
    from estiva.sdk.conda_dependencies import read_text

    found = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        text = line.strip().removeprefix("export ")
        if text and not text.startswith("#"):
            name, separator, value = text.partition("=")
            if not separator or not name.strip():
                raise UserErrorException(f"{file}, line {number} is not NAME=VALUE.", code="PairInvalid")
            found[name.strip()] = unquoted(value.strip())
    return found


def unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]
    return value[1:-1] if quoted else value
