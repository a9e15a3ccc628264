"""What opens what is published, be it a service or an endpoint: its keys and tokens."""

from __future__ import annotations

from fastapi import APIRouter

from estiva.control.api.access import Control, Key
from estiva.messages import KeyRequest, KeysView, TokenView
from estiva.records import Credentials

router = APIRouter()


@router.get("/keys")
def keys(control: Control, key: Key) -> KeysView:
    return _view(control.intake.keys(key))


@router.post("/keys/{which}")
def replace_key(control: Control, key: Key, which: str, request: KeyRequest) -> KeysView:
    return _view(control.intake.replace_key(key, which, request.key))


@router.post("/token")
def token(control: Control, key: Key) -> TokenView:
    return control.intake.token(key)


@router.delete("/tokens", status_code=204)
def revoke_tokens(control: Control, key: Key) -> None:
    control.intake.revoke_tokens(key)


def _view(credentials: Credentials) -> KeysView:
    return KeysView(
        primary=credentials.primary_key.get_secret_value(),
        secondary=credentials.secondary_key.get_secret_value(),
    )
