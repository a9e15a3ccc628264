"""Services and their generations in the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import sqlalchemy as sa

from estiva.errors import WebserviceException
from estiva.records import (
    Credentials,
    DeploymentSpec,
    Generation,
    GenerationState,
    Scaling,
    Service,
    ServiceKey,
    ServiceSettings,
    ServiceState,
    now,
)
from estiva.registry import rows, tables
from estiva.registry.credentials import drop_credentials, put_credentials
from estiva.registry.database import Database
from estiva.registry.workspaces import require_workspace

_services = tables.services
_generations = tables.generations


class ServiceStore(Database):
    """Services by key, generations by key and number.

    Unless it says otherwise, a method raises WebserviceException with code "WebserviceNotFound" for a service
    and "GenerationNotFound" for a generation that is not there.
    """

    def create_service(
        self, service: Service, generation: Generation, credentials: Credentials | None = None
    ) -> None:
        """With its first generation; a version of an endpoint is added by `EndpointStore`.

        Raises WebserviceException with code "ServiceExists" if a service or an endpoint has the name.
        """
        key = service.key
        with self.writing() as connection:
            require_workspace(connection, key.workspace)
            check_name(connection, key.workspace, key.service)
            put_service(connection, service, generation)
            if credentials is not None:
                put_credentials(connection, key.workspace, key.service, credentials)

    def service(self, key: ServiceKey) -> Service:
        """The message for one that is not there has "WebserviceNotFound" and the names that are known."""
        with self.reading() as connection:
            return _require(connection, key)

    def services(self, workspace: str | None = None) -> list[Service]:
        """Those of one workspace, or all, by name."""
        query = _services.select().order_by(_services.c.workspace, _services.c.name, _services.c.version)
        if workspace is not None:
            query = query.where(_services.c.workspace == workspace)
        with self.reading() as connection:
            return [rows.service(row) for row in connection.execute(query).mappings()]

    def update_service(self, key: ServiceKey, **changes: Any) -> Service:
        """Sets fields of the record, and `updated_time`."""
        with self.writing() as connection:
            return _update(connection, key, changes)

    def rescale(self, key: ServiceKey, before: Scaling, after: Scaling) -> bool:
        """Sets how a service scales if that is still what it was; whether it was."""
        with self.writing() as connection:
            if _require(connection, key).scaling != before:
                return False
            _update(connection, key, {"scaling": after})
        return True

    def remove_service(self, key: ServiceKey) -> None:
        """Removes it with its generations and its credentials. Idempotent: absence is success.

        The credentials of an endpoint's version are the endpoint's, and stay.
        """
        with self.writing() as connection:
            connection.execute(_services.delete().where(*_named(key)))
            if key.version is None:
                drop_credentials(connection, key.workspace, key.service)

    def add_generation(
        self,
        key: ServiceKey,
        spec: DeploymentSpec,
        reason: Literal["deploy", "update", "reload"],
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
    ) -> Generation:
        """Accepts a change: the service is Transitioning to the new generation; pending ones are superseded.

        The description, tags and properties, unless None, replace those of the service.
        """
        given = {"description": description, "tags": tags, "properties": properties}
        with self.writing() as connection:
            service = _require(connection, key)
            if service.state is ServiceState.DELETING:
                raise WebserviceException(
                    f'The service "{key.service}" is being deleted. Try again when it is gone.',
                    code="ServiceDeleting",
                )
            newest = connection.scalar(sa.select(sa.func.max(_generations.c.number)).where(*_of(key))) or 0
            number = max(service.desired, newest) + 1
            generation = Generation(number=number, state=GenerationState.PENDING, spec=spec, reason=reason)
            pending = _generations.c.state == GenerationState.PENDING.value
            superseded = {"state": GenerationState.SUPERSEDED.value}
            connection.execute(_generations.update().where(*_of(key), pending).values(superseded))
            connection.execute(_generations.insert().values(rows.generation_row(key, generation)))
            changes: dict[str, Any] = {field: value for field, value in given.items() if value is not None}
            if spec.target != service.targets[-1]:
                earlier = (kind for kind in service.targets if kind != spec.target)
                changes["targets"] = (*earlier, spec.target)
            _update(connection, key, {"desired": number, "state": ServiceState.TRANSITIONING, **changes})
        return generation

    def generation(self, key: ServiceKey, number: int) -> Generation:
        """The generation of that number."""
        with self.reading() as connection:
            return _require_generation(connection, key, number)

    def generation_state(self, key: ServiceKey, number: int) -> GenerationState:
        """Only the state: cheap, however many files the generation has."""
        query = sa.select(_generations.c.state).where(*_of(key, number))
        with self.reading() as connection:
            found = connection.scalar(query)
            if found is None:
                _require_generation(connection, key, number)
        return GenerationState(found)

    def generation_settings(self, key: ServiceKey, number: int) -> ServiceSettings:
        """Only the settings: cheap, however many files the generation has."""
        query = sa.select(_generations.c.spec["settings"]).where(*_of(key, number))
        with self.reading() as connection:
            found = connection.scalar(query)
            if found is None:
                return _require_generation(connection, key, number).spec.settings
        return ServiceSettings.model_validate(found)

    def generations(self, key: ServiceKey) -> list[Generation]:
        """Newest first; none for a service that is not there."""
        query = _generations.select().where(*_of(key)).order_by(_generations.c.number.desc())
        with self.reading() as connection:
            return [rows.record(Generation, row) for row in connection.execute(query).mappings()]

    def update_generation(self, key: ServiceKey, number: int, **changes: Any) -> Generation:
        """Sets fields of the record."""
        with self.writing() as connection:
            generation = rows.changed(_require_generation(connection, key, number), changes)
            values = rows.changed_row(generation, changes)
            connection.execute(_generations.update().where(*_of(key, number)).values(values))
        return generation

    def trim_generations(self, key: ServiceKey, keep: int) -> list[int]:
        """Drops the oldest until `keep` are left, but neither the desired nor the serving one.

        Returns the numbers of those dropped, oldest first.
        """
        with self.writing() as connection:
            service = _require(connection, key)
            numbers = connection.scalars(
                sa.select(_generations.c.number).where(*_of(key)).order_by(_generations.c.number)
            ).all()
            idle = [number for number in numbers if number not in (service.desired, service.serving)]
            dropped = idle[: max(0, len(numbers) - keep)]
            connection.execute(_generations.delete().where(*_of(key), _generations.c.number.in_(dropped)))
        return dropped


def check_name(connection: sa.Connection, workspace: str, name: str) -> None:
    """Services and endpoints share one set of names; raises `exists_already` for one that is taken."""
    for kind, table in (("endpoint", tables.endpoints), ("service", _services)):
        taken = sa.select(table.c.name).where(table.c.workspace == workspace, table.c.name == name)
        if connection.scalar(taken.limit(1)):
            raise exists_already(ServiceKey(workspace=workspace, service=name), kind)


def put_service(connection: sa.Connection, service: Service, generation: Generation) -> None:
    connection.execute(_services.insert().values(rows.service_row(service)))
    connection.execute(_generations.insert().values(rows.generation_row(service.key, generation)))


def exists_already(key: ServiceKey, kind: str = "service") -> WebserviceException:
    """The refusal of a second service or endpoint of that name."""
    return WebserviceException(
        f'The {kind} "{key.service}" exists already in the workspace "{key.workspace}". '
        "Replace it with overwrite=True (--overwrite), update it, or choose another name.",
        code="ServiceExists",
    )


def _named(key: ServiceKey) -> list[sa.ColumnElement[bool]]:
    return [
        _services.c.workspace == key.workspace,
        _services.c.name == key.service,
        _services.c.version == rows.version(key),
    ]


def _of(key: ServiceKey, number: int | None = None) -> list[sa.ColumnElement[bool]]:
    conditions = [
        _generations.c.workspace == key.workspace,
        _generations.c.service == key.service,
        _generations.c.version == rows.version(key),
    ]
    return conditions if number is None else [*conditions, _generations.c.number == number]


def _find(connection: sa.Connection, key: ServiceKey) -> Service | None:
    found = connection.execute(_services.select().where(*_named(key))).mappings().first()
    return None if found is None else rows.service(found)


def _require(connection: sa.Connection, key: ServiceKey) -> Service:
    service = _find(connection, key)
    if service is None:
        _refuse_endpoint(connection, key)
        known = connection.scalars(
            sa.select(_services.c.name)
            .where(_services.c.workspace == key.workspace, _services.c.version == "")
            .order_by(_services.c.name)
        ).all()
        there_are = f"There are: {', '.join(known)}." if known else "There is none in this workspace."
        raise WebserviceException(
            f'WebserviceNotFound: there is no service "{key.service}" in the workspace "{key.workspace}". '
            f"{there_are}",
            code="WebserviceNotFound",
        )
    return service


def _refuse_endpoint(connection: sa.Connection, key: ServiceKey) -> None:
    """Raises WebserviceException where the name is an endpoint's: what is meant is one of its versions."""
    versions = connection.scalars(
        sa.select(_services.c.version)
        .where(_services.c.workspace == key.workspace, _services.c.name == key.service)
        .order_by(_services.c.created_time)
    ).all()
    if not versions:
        return
    known = f"It has the versions {', '.join(versions)}."
    if key.version is None:
        raise WebserviceException(
            f'"{key.service}" is an endpoint: say which of its versions. {known}', code="VersionMissing"
        )
    raise WebserviceException(
        f'WebserviceNotFound: the endpoint "{key.service}" has no version "{key.version}". {known}',
        code="WebserviceNotFound",
    )


def _update(connection: sa.Connection, key: ServiceKey, changes: Mapping[str, Any]) -> Service:
    before = _require(connection, key)
    changes = {"updated_time": now(), **changes}
    if before.state is ServiceState.DELETING:
        # A deletion is final: what ends meanwhile must not bring the service back.
        changes.pop("state", None)
    service = rows.changed(before, changes)
    connection.execute(_services.update().where(*_named(key)).values(rows.changed_row(service, changes)))
    return service


def _require_generation(connection: sa.Connection, key: ServiceKey, number: int) -> Generation:
    found = connection.execute(_generations.select().where(*_of(key, number))).mappings().first()
    if found is None:
        _require(connection, key)
        raise WebserviceException(
            f'The service "{key.service}" has no generation {number}.', code="GenerationNotFound"
        )
    return rows.record(Generation, found)
