"""Registered environments in the database."""

from __future__ import annotations

import sqlalchemy as sa

from estiva.errors import EnvironmentException
from estiva.records import Environment, EnvironmentSpecification
from estiva.registry import rows, tables
from estiva.registry.database import Database
from estiva.registry.workspaces import known_instead, require_workspace

_table = tables.environments


class EnvironmentStore(Database):
    """Environments by workspace, name and version."""

    def add_environment(self, workspace: str, specification: EnvironmentSpecification) -> Environment:
        """Registers it as the next version of its name, unless the newest one says exactly the same."""
        with self.writing() as connection:
            require_workspace(connection, workspace)
            newest = _find(connection, workspace, specification.name, None)
            if newest and newest.specification == specification:
                return newest
            version = int(newest.version) + 1 if newest else 1
            environment = Environment(
                name=specification.name, version=str(version), specification=specification
            )
            values = {**rows.row(environment), "workspace": workspace, "version": version}
            connection.execute(_table.insert().values(values))
        return environment

    def environment(self, workspace: str, name: str, version: str | None = None) -> Environment:
        """That version, or the newest; EnvironmentException with code "EnvironmentNotFound" if none is."""
        with self.reading() as connection:
            require_workspace(connection, workspace)
            found = _find(connection, workspace, name, version)
            if found is None:
                raise _not_found(connection, workspace, name, version)
        return found

    def environments(self, workspace: str) -> list[Environment]:
        """The newest version of each name, by name."""
        query = _table.select().where(_table.c.workspace == workspace)
        with self.reading() as connection:
            require_workspace(connection, workspace)
            found = connection.execute(query.order_by(_table.c.name, _table.c.version)).mappings().all()
        return [rows.environment(row) for row in {row["name"]: row for row in found}.values()]


def _find(connection: sa.Connection, workspace: str, name: str, version: str | None) -> Environment | None:
    query = _table.select().where(_table.c.workspace == workspace, _table.c.name == name)
    if version is not None:
        query = query.where(sa.cast(_table.c.version, sa.String) == version)
    found = connection.execute(query.order_by(_table.c.version.desc()).limit(1)).mappings().first()
    return None if found is None else rows.environment(found)


def _not_found(
    connection: sa.Connection, workspace: str, name: str, version: str | None
) -> EnvironmentException:
    criteria = f'"{name}"' + ("" if version is None else f", version {version},")
    return EnvironmentException(
        f'There is no environment {criteria} in the workspace "{workspace}". '
        + known_instead(connection, _table, workspace, name),
        code="EnvironmentNotFound",
    )
