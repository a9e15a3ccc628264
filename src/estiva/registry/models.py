"""Registered models in the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from estiva.errors import WebserviceException
from estiva.records import Model
from estiva.registry import rows, tables
from estiva.registry.database import Database
from estiva.registry.workspaces import known_instead, require_workspace

_table = tables.models

Tag = str | tuple[str, str]
"""A key that must be there, or a key and its value."""


class ModelStore(Database):
    """Models by workspace, name and version."""

    def add_model(self, workspace: str, model: Model) -> Model:
        """Registers it as the next version of its name, whatever `model.version` says; returns it so.

        Versions count from 1 and are never given out twice, not even that of a deleted model.
        """
        with self.writing() as connection:
            require_workspace(connection, workspace)
            model = rows.changed(model, {"version": _next_version(connection, workspace, model.name)})
            connection.execute(_table.insert().values(workspace=workspace, **rows.row(model)))
        return model

    def model(self, workspace: str, name: str, version: int | None = None) -> Model:
        """That version, or the newest; WebserviceException with code "ModelNotFound" if there is none."""
        with self.reading() as connection:
            require_workspace(connection, workspace)
            return _require(connection, workspace, name, version)

    def models(
        self,
        workspace: str,
        *,
        name: str | None = None,
        tags: Sequence[Tag] = (),
        properties: Sequence[Tag] = (),
        framework: str | None = None,
        run_id: str | None = None,
        latest: bool = False,
    ) -> list[Model]:
        """Those that meet all criteria, newest first; `latest` leaves the newest of each name among them."""
        wanted = {"name": name, "framework": framework, "run_id": run_id}
        conditions = [_table.c[column] == value for column, value in wanted.items() if value is not None]
        query = _table.select().where(_table.c.workspace == workspace, *conditions)
        with self.reading() as connection:
            require_workspace(connection, workspace)
            found = connection.execute(query.order_by(_table.c.id.desc())).mappings().all()
        chosen = [row for row in found if _match(row["tags"], tags) and _match(row["properties"], properties)]
        if latest:
            chosen = list({row["name"]: row for row in reversed(chosen)}.values())
            chosen.sort(key=lambda row: int(row["id"]), reverse=True)
        return [rows.record(Model, row) for row in chosen]

    def update_model(
        self,
        workspace: str,
        name: str,
        version: int,
        *,
        tags: Mapping[str, str] | None = None,
        description: str | None = None,
        add_properties: Mapping[str, str] | None = None,
    ) -> Model:
        """Replaces the tags, the description, adds properties; None leaves them as they are.

        Raises WebserviceException with code "ModelNotFound", or "PropertiesImmutable" for a property that is
        set already.
        """
        with self.writing() as connection:
            require_workspace(connection, workspace)
            model = _require(connection, workspace, name, version)
            properties = {**model.properties, **_new(model, add_properties or {})}
            given = {"tags": tags, "description": description, "properties": properties}
            changes = {field: value for field, value in given.items() if value is not None}
            model = rows.changed(model, changes)
            values = rows.changed_row(model, changes)
            connection.execute(_table.update().where(*_is(workspace, name, version)).values(values))
        return model

    def delete_model(self, workspace: str, name: str, version: int) -> None:
        """Deletes the entry; its blobs go with the next `Blobs.prune`.

        Raises WebserviceException with code "ModelNotFound", or "DeletionRequired" while a service's desired
        or serving generation mounts it.
        """
        with self.writing() as connection:
            require_workspace(connection, workspace)
            model = _require(connection, workspace, name, version)
            using = _services_with(connection, workspace, model)
            if using:
                raise WebserviceException(
                    f"The model {model.id} cannot be deleted while a service uses it: {', '.join(using)}. "
                    "Delete the service, or update it to another model, first.",
                    code="DeletionRequired",
                )
            connection.execute(_table.delete().where(*_is(workspace, name, version)))


def _is(workspace: str, name: str, version: int) -> list[sa.ColumnElement[bool]]:
    return [_table.c.workspace == workspace, _table.c.name == name, _table.c.version == version]


def _next_version(connection: sa.Connection, workspace: str, name: str) -> int:
    names = tables.model_names
    counted = connection.scalar(
        names.update()
        .where(names.c.workspace == workspace, names.c.name == name)
        .values(last_version=names.c.last_version + 1)
        .returning(names.c.last_version)
    )
    if counted is None:
        connection.execute(names.insert().values(workspace=workspace, name=name, last_version=1))
    return int(counted or 1)


def _require(connection: sa.Connection, workspace: str, name: str, version: int | None) -> Model:
    query = _table.select().where(_table.c.workspace == workspace, _table.c.name == name)
    if version is not None:
        query = query.where(_table.c.version == version)
    found = connection.execute(query.order_by(_table.c.version.desc()).limit(1)).mappings().first()
    if found is None:
        raise _not_found(connection, workspace, name, version)
    return rows.record(Model, found)


def _not_found(
    connection: sa.Connection, workspace: str, name: str, version: int | None
) -> WebserviceException:
    criteria = f'name "{name}"' + ("" if version is None else f", version {version}")
    return WebserviceException(
        f'ModelNotFound: there is no model with {criteria} in the workspace "{workspace}". '
        + known_instead(connection, _table, workspace, name),
        code="ModelNotFound",
    )


def _match(labels: Mapping[str, str], wanted: Sequence[Tag]) -> bool:
    return all(tag in labels if isinstance(tag, str) else labels.get(tag[0]) == tag[1] for tag in wanted)


def _new(model: Model, properties: Mapping[str, str]) -> Mapping[str, str]:
    taken = sorted(model.properties.keys() & properties.keys())
    if taken:
        raise WebserviceException(
            f"Properties of the model {model.id} cannot be changed once they are set: {','.join(taken)}. "
            "Use tags for what changes.",
            code="PropertiesImmutable",
        )
    return properties


def _services_with(connection: sa.Connection, workspace: str, model: Model) -> list[str]:
    """Names of the services whose desired or serving generation mounts the model."""
    services, generations = tables.services, tables.generations
    current = sa.or_(generations.c.number == services.c.desired, generations.c.number == services.c.serving)
    found = connection.execute(
        sa.select(services.c.name, generations.c.spec)
        .where(services.c.workspace == workspace, generations.c.workspace == workspace)
        .where(generations.c.service == services.c.name, generations.c.version == services.c.version)
        .where(current)
    )
    return sorted({row.name for row in found if _mounts(row.spec, model)})


def _mounts(spec: Mapping[str, Any], model: Model) -> bool:
    return any((mount["name"], mount["version"]) == (model.name, model.version) for mount in spec["models"])
