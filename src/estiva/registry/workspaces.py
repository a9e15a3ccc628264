"""Workspaces in the database."""

from __future__ import annotations

import difflib
from typing import Any

import sqlalchemy as sa

from estiva.errors import WorkspaceException
from estiva.records import Workspace
from estiva.registry import rows, tables
from estiva.registry.database import Database

_table = tables.workspaces


class WorkspaceStore(Database):
    """Workspaces by name."""

    def create_workspace(self, workspace: Workspace) -> Workspace:
        """Raises WorkspaceException with code "WorkspaceExists" if the name is taken."""
        with self.writing() as connection:
            if _find(connection, workspace.name):
                raise WorkspaceException(
                    f'The workspace "{workspace.name}" exists already. Get it, or choose another name.',
                    code="WorkspaceExists",
                )
            connection.execute(_table.insert().values(rows.row(workspace)))
        return workspace

    def workspace(self, name: str) -> Workspace:
        """Raises WorkspaceException with code "WorkspaceNotFound", and the names that are known."""
        with self.reading() as connection:
            return require_workspace(connection, name)

    def workspaces(self) -> list[Workspace]:
        """All, by name."""
        with self.reading() as connection:
            found = connection.execute(_table.select().order_by(_table.c.name)).mappings()
            return [rows.record(Workspace, row) for row in found]

    def update_workspace(self, name: str, **changes: Any) -> Workspace:
        """Sets fields of the record; raises WorkspaceException as `workspace` does."""
        with self.writing() as connection:
            workspace = rows.changed(require_workspace(connection, name), changes)
            values = rows.changed_row(workspace, changes)
            connection.execute(_table.update().where(_table.c.name == name).values(values))
        return workspace

    def delete_workspace(self, name: str) -> None:
        """Deletes it with its models and environments.

        Raises WorkspaceException with code "WorkspaceInUse" while it has services, naming them, or
        "WorkspaceNotFound".
        """
        services = tables.services
        with self.writing() as connection:
            require_workspace(connection, name)
            using = connection.scalars(
                sa.select(services.c.name)
                .distinct()
                .where(services.c.workspace == name)
                .order_by(services.c.name)
            ).all()
            if using:
                raise WorkspaceException(
                    f'The workspace "{name}" cannot be deleted while it has services: {", ".join(using)}. '
                    "Delete them first.",
                    code="WorkspaceInUse",
                )
            connection.execute(_table.delete().where(_table.c.name == name))


def require_workspace(connection: sa.Connection, name: str) -> Workspace:
    """Raises WorkspaceException with code "WorkspaceNotFound", and the names that are known."""
    workspace = _find(connection, name)
    if workspace is None:
        known = connection.scalars(sa.select(_table.c.name).order_by(_table.c.name)).all()
        there_are = f"There are: {', '.join(known)}." if known else "There is none yet."
        raise WorkspaceException(
            f'There is no workspace "{name}". {there_are} Check the name, or create it.',
            code="WorkspaceNotFound",
        )
    return workspace


def _find(connection: sa.Connection, name: str) -> Workspace | None:
    found = connection.execute(_table.select().where(_table.c.name == name)).mappings().first()
    return None if found is None else rows.record(Workspace, found)


def known_instead(connection: sa.Connection, table: sa.Table, workspace: str, name: str) -> str:
    """For who asked for what is not there: the versions that are, else names that were perhaps meant."""
    query = sa.select(table.c.name, table.c.version).where(table.c.workspace == workspace)
    known = connection.execute(query.order_by(table.c.version)).all()
    versions = [str(row.version) for row in known if row.name == name]
    if versions:
        return f"Its versions are: {', '.join(versions)}."
    close = difflib.get_close_matches(name, sorted({row.name for row in known}))
    return f"Did you mean {' or '.join(close)}?" if close else f"List the {table.name} to see what there is."
