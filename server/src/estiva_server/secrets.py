"""Variables that must not be seen where a container is looked at: they come in a file, which goes at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from estiva_server.contract import SECRETS_FILE_VARIABLE


class SecretsError(Exception):
    """They were to be there and are not; the message is for the user."""


def take_secrets(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables in the file that SECRETS_FILE_VARIABLE names, if it does; the file is removed."""
    name = variables.get(SECRETS_FILE_VARIABLE)
    if not name:
        return {}
    path = Path(name)
    try:
        secrets = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SecretsError(
            f"The secrets were not handed over: {path} cannot be read ({error}). They are, whenever Estiva "
            "itself starts the container."
        ) from error
    path.unlink()
    return {str(key): str(value) for key, value in secrets.items()}
