"""Registered environments in the database."""

from __future__ import annotations

import sqlalchemy as sa

from estiva.errors import EnvironmentException
from estiva.records import Environment, EnvironmentSpecification, Lock, now
from estiva.registry import rows, tables
from estiva.registry.database import Database
from estiva.registry.workspaces import known_instead, require_workspace

_table = tables.environments
_locks = tables.locks


class EnvironmentStore(Database):
    """Environments by workspace, name and version."""

    def add_environment(self, workspace: str, specification: EnvironmentSpecification) -> Environment:
        """Registers it as the next version of its name, unless the newest one says exactly the same."""
        with self.writing() as connection:
            require_workspace(connection, workspace)
            newest = _find(connection, workspace, specification.name, None)
            if newest and newest.specification == specification:
                return newest
            return _add(connection, workspace, newest, specification)

    def update_environment(self, workspace: str, name: str, lock: Lock) -> Environment:
        """A new version that asks for the same as the newest, with the lock that it is to have."""
        with self.writing() as connection:
            newest = _existing(connection, workspace, name, None)
            added = _add(connection, workspace, newest, newest.specification)
            _insert_lock(connection, workspace, added, lock)
        return added

    def environment(self, workspace: str, name: str, version: str | None = None) -> Environment:
        """That version, or the newest; EnvironmentException with code "EnvironmentNotFound" if none is."""
        with self.reading() as connection:
            return _existing(connection, workspace, name, version)

    def find_environment(self, workspace: str, name: str, version: str) -> Environment | None:
        """That version, or None if it is not there."""
        with self.reading() as connection:
            return _find(connection, workspace, name, version)

    def environments(self, workspace: str) -> list[Environment]:
        """The newest version of each name, by name."""
        query = _table.select().where(_table.c.workspace == workspace)
        with self.reading() as connection:
            require_workspace(connection, workspace)
            found = connection.execute(query.order_by(_table.c.name, _table.c.version)).mappings().all()
        return [rows.environment(row) for row in {row["name"]: row for row in found}.values()]

    def locks(self, workspace: str, name: str, version: str) -> list[Lock]:
        """What that version resolved to, by platform."""
        query = sa.select(_locks.c.lock).where(*_key(workspace, name, version)).order_by(_locks.c.platform)
        with self.reading() as connection:
            return [rows.record(Lock, found) for found in connection.scalars(query)]

    def keep_lock(self, workspace: str, name: str, version: str, lock: Lock) -> Lock:
        """Keeps it with the version, unless that has one for the platform: the first one stands.

        Returns the one that is kept.
        """
        query = sa.select(_locks.c.lock).where(
            *_key(workspace, name, version), _locks.c.platform == lock.platform
        )
        with self.writing() as connection:
            environment = _existing(connection, workspace, name, version)
            found = connection.scalar(query)
            if found is not None:
                return rows.record(Lock, found)
            _insert_lock(connection, workspace, environment, lock)
        return lock


def _key(workspace: str, name: str, version: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        _locks.c.workspace == workspace,
        _locks.c.environment == name,
        sa.cast(_locks.c.version, sa.String) == version,
    )


def _add(
    connection: sa.Connection,
    workspace: str,
    newest: Environment | None,
    specification: EnvironmentSpecification,
) -> Environment:
    version = int(newest.version) + 1 if newest else 1
    environment = Environment(name=specification.name, version=str(version), specification=specification)
    values = {**rows.row(environment), "workspace": workspace, "version": version}
    connection.execute(_table.insert().values(values))
    return environment


def _insert_lock(connection: sa.Connection, workspace: str, environment: Environment, lock: Lock) -> None:
    values = {
        "workspace": workspace,
        "environment": environment.name,
        "version": int(environment.version),
        "platform": lock.platform,
        "lock": lock,
        "created_time": now(),
    }
    connection.execute(_locks.insert().values(values))


def _existing(connection: sa.Connection, workspace: str, name: str, version: str | None) -> Environment:
    require_workspace(connection, workspace)
    found = _find(connection, workspace, name, version)
    if found is None:
        raise _not_found(connection, workspace, name, version)
    return found


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
