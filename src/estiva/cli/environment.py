"""`estiva env`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from estiva.cli import completion
from estiva.cli.output import Bytes, Format, Output, show_fields, show_json, show_rows
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.sdk.environment import Environment
    from estiva.sdk.workspace import Workspace

app = typer.Typer(name="env", help="Environments: what score scripts need.", no_args_is_help=True)

SpecificationFile = Annotated[
    Path, typer.Argument(help="A conda YAML, or a pip requirements file (.txt).", exists=True, dir_okay=False)
]


class Resolver(str, Enum):
    AUTO = "auto"
    CONDA = "conda"
    PYPI = "pypi"

    value: Literal["auto", "conda", "pypi"]


ResolverName = Annotated[
    Resolver,
    typer.Option(help="Where conda packages come from: channels, PyPI, or auto: PyPI if no channel answers."),
]

RegisteredName = Annotated[
    str, typer.Argument(help="A registered environment.", autocompletion=completion.environments)
]

NameOrFile = Annotated[
    str, typer.Argument(help="A registered environment, or a file.", autocompletion=completion.environments)
]

Version = Annotated[str | None, typer.Option(help="Of a registered environment; else its newest.")]


@app.command(epilog="Example:  estiva env create my-env environment.yml")
def create(
    name: str,
    file: SpecificationFile,
    resolver: ResolverName = Resolver.AUTO,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Register an environment from a file."""
    environment = read(name, file)
    environment.python.resolver = resolver.value
    registered = environment.register(find(workspace))
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
    name: RegisteredName,
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
    name: NameOrFile,
    version: Version = None,
    offline: Annotated[bool, typer.Option("--offline", help="Only from what was downloaded before.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Resolve and build an environment now, so that deployments find it ready."""
    found = find(workspace)
    built = _named(found, name, version).build_packages(found, show=_show_line, offline=offline)
    for notice in built.notices:
        typer.echo(f"note: {notice}", err=True)
    show_fields({"python": built.python, "packages": built.packages}, output)


@app.command(epilog="Example:  estiva env image my-env    or    estiva env image environment.yml --dry-run")
def image(
    name: NameOrFile,
    version: Version = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the Dockerfile, build nothing.")] = False,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Build the image that those of an environment's deployments and packages are built upon."""
    found = find(workspace)
    environment = _named(found, name, version)
    if dry_run:
        typer.echo(environment.get_image_details(found).dockerfile, nl=False)
        return
    built = environment.build_image(found, show=_show_line)
    show_fields({"image": built.image, "python": built.python}, output)


def _named(workspace: Workspace, name: str, version: str | None) -> Environment:
    from estiva.sdk.environment import Environment

    if Path(name).is_file():
        return read(Path(name).stem, Path(name))
    return Environment.get(workspace, name, version)


@app.command(epilog="Example:  estiva env lock my-env --platform linux-64 --file pylock.toml")
def lock(
    name: RegisteredName,
    version: Version = None,
    platform: Annotated[
        str | None, typer.Option(help="linux-64, linux-aarch64, osx-64, osx-arm64; else this machine's.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Write it as a pylock.toml to this file.")] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the exact, hashed packages of an environment's version; the first time, resolve them."""
    from estiva.sdk.environment import Environment
    from estiva.specification import locked_packages

    found = find(workspace)
    environment = Environment.get(found, name, version)
    locked = environment.lock(found, platform, pylock=file is not None, show=_show_line)
    if file is not None:
        file.write_text(locked.pylock, encoding="utf-8")
        show_fields({"lock": str(file), "packages": len(locked_packages(locked.lock))}, output)
    elif output is Format.JSON:
        show_json(locked.model_dump(mode="json", exclude={"changes", "pylock"}))
    else:
        typer.echo(f"# {name}, version {locked.version}, on {locked.lock.platform}")
        for package in locked.lock.conda:
            typer.echo(f"{package.url}#sha256:{package.sha256}")
        typer.echo(locked.lock.requirements, nl=False)


@app.command(epilog="Example:  estiva env sbom my-env --file my-env.cdx.json")
def sbom(
    name: RegisteredName,
    version: Version = None,
    file: Annotated[Path | None, typer.Option(help="Write it to this file.")] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Show the bill of materials of an environment's version, in CycloneDX, for scanners to read."""
    from estiva.sdk.environment import Environment
    from estiva.specification import bill_of_materials

    found = find(workspace)
    locked = Environment.get(found, name, version).lock(found, show=_show_line)
    text = bill_of_materials(name, locked.version, locked.lock)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


@app.command(epilog="Example:  estiva env diff my-env:1 my-env:2")
def diff(
    before: Annotated[str, typer.Argument(help="A registered environment: NAME or NAME:VERSION.")],
    after: Annotated[str, typer.Argument(help="Another one, or another version of it.")],
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Show which packages differ between two environments."""
    from estiva.sdk.environment import Environment
    from estiva.specification import differences

    found = find(workspace)
    split = (text.partition(":") for text in (before, after))
    named = [Environment.get(found, name, version or None) for name, _, version in split]
    old, new = (environment.lock(found, show=_show_line).lock for environment in named)
    _show_changes({}, differences(old, new), output)


@app.command(epilog="Example:  estiva env update my-env numpy")
def update(
    name: RegisteredName,
    packages: Annotated[list[str] | None, typer.Argument(help="What may change; else everything.")] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Register a version with the newest packages that the specification allows."""
    from estiva.sdk.environment import Environment

    updated = Environment.update(find(workspace), name, packages or (), show=_show_line)
    _show_changes({"name": name, "version": updated.version}, updated.changes, output)


@app.command(epilog="Example:  estiva env export my-env --bundle my-env.tar")
def export(
    name: RegisteredName,
    bundle: Annotated[Path, typer.Option(help="The file to write.")],
    version: Version = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Write all that an environment is made from to one file, for machines without a network."""
    from estiva.sdk.environment import Environment

    found = find(workspace)
    Environment.get(found, name, version).export(found, bundle, show=_show_line)
    show_fields({"bundle": str(bundle), "size": Bytes(bundle.stat().st_size)}, output)


@app.command("import", epilog="Example:  estiva env import my-env.tar")
def import_bundle(
    bundle: Annotated[Path, typer.Argument(help="A bundle.")],
    name: Annotated[str | None, typer.Option(help="Instead of the name that it has there.")] = None,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Register and build the environment in a bundle; nothing is downloaded."""
    from estiva.sdk.environment import Environment

    imported = Environment.import_bundle(find(workspace), bundle, name, show=_show_line)
    show_fields(imported.model_dump(), output)


@app.command(epilog="Example:  estiva env infer score.py --model model.pkl --file environment.yml")
def infer(
    entry_script: Annotated[Path, typer.Argument(help="The score script.")],
    model: Annotated[Path | None, typer.Option(help="Its model: a file or a folder.")] = None,
    file: Annotated[Path | None, typer.Option(help="Write the conda YAML to this file.")] = None,
    workspace: WorkspaceName = None,
) -> None:
    """Propose an environment: what a script imports and a model says, in the versions installed here."""
    from estiva.sdk.environment import Environment

    name = entry_script.absolute().parent.name or "inferred"
    found = Environment.infer(find(workspace), name, entry_script, model, show=_show_line)
    text = found.python.conda_dependencies.serialize_to_string()
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")


def _show_line(line: str) -> None:
    typer.echo(line, err=True)


def _show_changes(fields: dict[str, str], changes: Sequence[str], output: Format) -> None:
    if output is Format.JSON:
        show_json({**fields, "changes": list(changes)})
        return
    show_fields(fields, output)
    typer.echo("\n".join(changes) or "The packages are the same.")


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
