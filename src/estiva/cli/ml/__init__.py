"""`estiva ml`: the commands, flags and files of Azure ML's v1 command line, for scripts that have them."""

from __future__ import annotations

from collections.abc import Sequence

import typer
from typer.core import TyperGroup

from estiva.cli.ml import endpoint, model, service

_OF_A_CLOUD = ("-g", "--resource-group", "--subscription", "--subscription-id")


class WithoutCloud(TyperGroup):
    """Takes what says where in a cloud, with all commands, and does without it."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        return super().parse_args(ctx, without_cloud(args))


def without_cloud(arguments: Sequence[str]) -> list[str]:
    """The arguments without the options that name a subscription or resource group, and their values."""
    kept: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument in _OF_A_CLOUD:
            next(given, None)
        elif not argument.startswith(tuple(f"{option}=" for option in _OF_A_CLOUD)):
            kept.append(argument)
    return kept


app = typer.Typer(
    cls=WithoutCloud,
    name="ml",
    help="The commands of Azure ML's v1 command line, with its files.",
    no_args_is_help=True,
)
for noun in (model, service):
    app.add_typer(noun.app)
realtime = typer.Typer(name="endpoint", help="Endpoints.", no_args_is_help=True)
realtime.add_typer(endpoint.app)
app.add_typer(realtime)
