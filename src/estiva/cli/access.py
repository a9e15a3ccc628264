"""Who may call a service: the options that say it, and what shows keys and tokens."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from estiva.cli.output import Format, show_fields, show_json
from estiva.errors import UserErrorException

if TYPE_CHECKING:
    from estiva.sdk.webservice import Webservice

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Authentication(str, Enum):
    """What callers send."""

    KEYS = "keys"
    TOKEN = "token"  # noqa: S105  a choice
    NONE = "none"


AuthenticationOption = Annotated[
    Authentication | None,
    typer.Option(
        "--auth",
        help="What callers need: one of two keys, a signed token (Kubernetes services alone), or nothing. "
        "Unless it is given: keys for a Kubernetes service, nothing for a Local one.",
    ),
]


RateOption = Annotated[
    int | None,
    typer.Option("--rate", help="Requests per second that one key or token may send; 0 for no limit.", min=0),
]


class KeyName(str, Enum):
    PRIMARY = "primary"
    SECONDARY = "secondary"


def authentication(chosen: Authentication | None, tokens: bool) -> dict[str, Any]:
    """Parameters of deploy_configuration; `tokens`: whether the kind of the service has them."""
    if chosen is None:
        return {}
    parameters = {"auth_enabled": chosen is Authentication.KEYS}
    if tokens:
        return parameters | {"token_auth_enabled": chosen is Authentication.TOKEN}
    if chosen is Authentication.TOKEN:
        raise _no_tokens()
    return parameters


def _no_tokens() -> UserErrorException:
    return UserErrorException(
        "Only Kubernetes services have tokens: deploy with --kind kubernetes, or use --auth keys.",
        code="TokensNotUsed",
    )


def warn_if_public(host: str | None, chosen: Authentication | None) -> None:
    if host not in (None, *_LOOPBACK) and chosen in (None, Authentication.NONE):
        typer.echo(
            f"Warning: the service will listen on {host} without keys: "
            "whoever reaches this machine can call it.",
            err=True,
        )


def show_keys(service: Webservice, regenerate: KeyName | None, output: Format) -> None:
    if regenerate is not None:
        service.regen_key(regenerate.value)
    primary, secondary = service.get_keys()
    show_fields({"primary": primary, "secondary": secondary}, output)
    if not service.auth_enabled:
        typer.echo(f"{service.name} does not ask for them: deploy it with --auth keys.", err=True)


def show_token(service: Webservice, revoke: bool, output: Format) -> None:
    """For people the token alone, so that it can stand in a command."""
    from estiva.sdk.access import WithTokens

    if not isinstance(service, WithTokens):
        raise _no_tokens()
    if revoke:
        service.revoke_tokens()
        typer.echo(f"The tokens of {service.name} that were given out have ended.", err=True)
        return
    token = service.get_access_token()
    if output is Format.JSON:
        show_json(vars(token))
    else:
        typer.echo(token.access_token)
