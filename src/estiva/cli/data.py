"""`estiva data`: what score scripts have collected."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli import completion
from estiva.cli.output import Format, Output, show_json, show_rows
from estiva.cli.workspace import WorkspaceName, find
from estiva.errors import WebserviceException

if TYPE_CHECKING:
    from estiva.sdk.collected import Day

app = typer.Typer(
    name="data", help="Inputs and predictions that score scripts collected.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="The service's name.", autocompletion=completion.services)]
ModelName = Annotated[str | None, typer.Option("--model", help="Only this model's.")]
Designation = Annotated[
    str | None, typer.Option(help='Only these: "inputs", "predictions", as the script calls them.')
]


@app.command(epilog="Example:  estiva data show mysvc --designation inputs -n 3")
def show(
    name: Name,
    model: ModelName = None,
    designation: Designation = None,
    number: Annotated[int, typer.Option("-n", help="How many of the last records.", min=1)] = 10,
    workspace: WorkspaceName = None,
    output: Output = Format.TABLE,
) -> None:
    """Show the last records that a service has collected."""
    kept = [_shown(record) for record in _last(_days(workspace, name, model, designation), number)]
    if output is Format.JSON:
        show_json(kept)
        return
    rows = [{**record, "data": json.dumps(record["data"])} for record in kept]
    show_rows(rows, ["time", "request_id", "designation", "data"], output, _NONE)


@app.command(epilog="Example:  estiva data export mysvc collected.jsonl")
def export(
    name: Name,
    target: Annotated[Path, typer.Argument(help="File to write, a JSON document in each line.")],
    model: ModelName = None,
    designation: Designation = None,
    workspace: WorkspaceName = None,
) -> None:
    """Write all records of a service to one file, oldest first."""
    count = 0
    days = _days(workspace, name, model, designation)
    with target.open("w", encoding="utf-8") as file:
        for record in _records(days):
            file.write(json.dumps(record) + "\n")
            count += 1
    typer.echo(f"{count} records written to {target}.")


_NONE = (
    "Nothing is collected yet; a score script collects with azureml.monitoring.ModelDataCollector, in a "
    "service that was deployed with collect_model_data=True."
)


def _days(workspace: str | None, name: str, model: str | None, designation: str | None) -> list[Day]:
    from estiva.sdk.collected import days

    found = days(find(workspace).name, name, model, designation)
    if not found:
        raise WebserviceException(_NONE, code="DataNotFound")
    return found


def _records(days: list[Day]) -> Iterator[dict[str, Any]]:
    for day in days:
        yield from day.records()


def _last(days: list[Day], number: int) -> list[dict[str, Any]]:
    """By time: the files of a day are of several designations."""
    newest = [record for day in days for record in deque(day.records(), maxlen=number)]
    return sorted(newest, key=lambda record: str(record["time"]))[-number:]


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    names = ("time", "request_id", "correlation_id", "model", "designation", "feature_names", "data")
    return {name: record.get(name) for name in names}
