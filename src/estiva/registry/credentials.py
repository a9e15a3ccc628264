"""Keys of services in the database, whose file only its owner can read."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from estiva.errors import WebserviceException
from estiva.records import Credentials
from estiva.registry import rows, tables
from estiva.registry.database import Database

_table = tables.credentials


class CredentialStore(Database):
    """Credentials by workspace, and by the name of what is published: a service, or an endpoint."""

    def credentials(self, workspace: str, name: str) -> Credentials:
        """Raises WebserviceException with code "WebserviceNotFound" where nothing has that name."""
        with self.reading() as connection:
            return _require(connection, workspace, name)

    def update_credentials(self, workspace: str, name: str, **changes: Any) -> Credentials:
        """Sets fields of the record; raises WebserviceException as `credentials` does."""
        with self.writing() as connection:
            credentials = rows.changed(_require(connection, workspace, name), changes)
            drop_credentials(connection, workspace, name)
            put_credentials(connection, workspace, name, credentials)
        return credentials


def put_credentials(connection: sa.Connection, workspace: str, name: str, credentials: Credentials) -> None:
    connection.execute(_table.insert().values(rows.credentials_row(workspace, name, credentials)))


def drop_credentials(connection: sa.Connection, workspace: str, name: str) -> None:
    connection.execute(_table.delete().where(_table.c.workspace == workspace, _table.c.name == name))


def _require(connection: sa.Connection, workspace: str, name: str) -> Credentials:
    query = _table.select().where(_table.c.workspace == workspace, _table.c.name == name)
    found = connection.execute(query).mappings().first()
    if found is None:
        raise WebserviceException(
            f'WebserviceNotFound: nothing is published as "{name}" in the workspace "{workspace}".',
            code="WebserviceNotFound",
        )
    return rows.record(Credentials, found)
