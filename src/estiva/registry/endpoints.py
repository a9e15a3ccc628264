"""Endpoints and their versions in the database. A version is a service whose key says so."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from estiva.errors import WebserviceException
from estiva.records import Credentials, Endpoint, Generation, Service, ServiceKey, now
from estiva.registry import rows, tables
from estiva.registry.credentials import drop_credentials, put_credentials
from estiva.registry.database import Database
from estiva.registry.services import check_name, put_service
from estiva.registry.workspaces import require_workspace

_endpoints = tables.endpoints
_services = tables.services

Revision = Callable[[Endpoint], Endpoint]


class EndpointStore(Database):
    """Endpoints by workspace and name; the records of their versions come and go in the same transactions.

    Unless it says otherwise, a method raises WebserviceException with code "WebserviceNotFound" for an
    endpoint that is not there.
    """

    def create_endpoint(
        self, endpoint: Endpoint, first: Service, generation: Generation, credentials: Credentials
    ) -> None:
        """With its first version.

        Raises WebserviceException with code "ServiceExists" if a service or an endpoint has the name.
        """
        with self.writing() as connection:
            require_workspace(connection, endpoint.workspace)
            check_name(connection, endpoint.workspace, endpoint.name)
            connection.execute(_endpoints.insert().values(rows.row(endpoint)))
            put_service(connection, first, generation)
            put_credentials(connection, endpoint.workspace, endpoint.name, credentials)

    def add_version(self, service: Service, generation: Generation, revise: Revision) -> Endpoint:
        """`revise` adds the version to its endpoint; what it raises leaves all as it was."""
        with self.writing() as connection:
            endpoint = _revise(connection, service.key, revise)
            put_service(connection, service, generation)
        return endpoint

    def endpoint(self, workspace: str, name: str) -> Endpoint:
        """The message for one that is not there has "WebserviceNotFound" and the names that are known."""
        with self.reading() as connection:
            return _require(connection, workspace, name)

    def find_endpoint(self, workspace: str, name: str) -> Endpoint | None:
        """None if there is none."""
        with self.reading() as connection:
            return _find(connection, workspace, name)

    def endpoints(self, workspace: str | None = None) -> list[Endpoint]:
        """Those of one workspace, or all, by name."""
        query = _endpoints.select().order_by(_endpoints.c.workspace, _endpoints.c.name)
        if workspace is not None:
            query = query.where(_endpoints.c.workspace == workspace)
        with self.reading() as connection:
            return [rows.record(Endpoint, row) for row in connection.execute(query).mappings()]

    def revise_endpoint(self, workspace: str, name: str, revise: Revision) -> Endpoint:
        """Replaces it by what `revise` makes of it, and sets `updated_time`."""
        with self.writing() as connection:
            return _revise(connection, ServiceKey(workspace=workspace, service=name), revise)

    def remove_version(self, key: ServiceKey) -> None:
        """Removes a version with its generations; with the last one the endpoint and its credentials.

        Idempotent: absence is success.
        """
        with self.writing() as connection:
            connection.execute(
                _services.delete().where(
                    _services.c.workspace == key.workspace,
                    _services.c.name == key.service,
                    _services.c.version == rows.version(key),
                )
            )
            endpoint = _find(connection, key.workspace, key.service)
            if endpoint is not None and key.version is not None:
                _without(connection, endpoint, key.version)


def _find(connection: sa.Connection, workspace: str, name: str) -> Endpoint | None:
    found = connection.execute(_endpoints.select().where(*_named(workspace, name))).mappings().first()
    return None if found is None else rows.record(Endpoint, found)


def _require(connection: sa.Connection, workspace: str, name: str) -> Endpoint:
    endpoint = _find(connection, workspace, name)
    if endpoint is None:
        query = sa.select(_endpoints.c.name).where(_endpoints.c.workspace == workspace)
        known = connection.scalars(query.order_by(_endpoints.c.name)).all()
        there_are = f"There are: {', '.join(known)}." if known else "There is none in this workspace."
        raise WebserviceException(
            f'WebserviceNotFound: there is no endpoint "{name}" in the workspace "{workspace}". {there_are}',
            code="WebserviceNotFound",
        )
    return endpoint


def _revise(connection: sa.Connection, key: ServiceKey, revise: Revision) -> Endpoint:
    before = _require(connection, key.workspace, key.service)
    if before.deleting:
        raise WebserviceException(
            f'The endpoint "{key.service}" is being deleted. Try again when it is gone.',
            code="ServiceDeleting",
        )
    return _replace(connection, revise(before))


def _replace(connection: sa.Connection, endpoint: Endpoint) -> Endpoint:
    changed = rows.changed(endpoint, {"updated_time": now()})
    place = _named(endpoint.workspace, endpoint.name)
    connection.execute(_endpoints.update().where(*place).values(rows.row(changed)))
    return changed


def _without(connection: sa.Connection, endpoint: Endpoint, version: str) -> None:
    """Nothing is left of an endpoint without versions."""
    left = tuple(other for other in endpoint.versions if other.name != version)
    if left:
        defaults = tuple(name for name in endpoint.defaults if name != version) or (left[0].name,)
        _replace(connection, rows.changed(endpoint, {"versions": left, "defaults": defaults}))
        return
    connection.execute(_endpoints.delete().where(*_named(endpoint.workspace, endpoint.name)))
    drop_credentials(connection, endpoint.workspace, endpoint.name)


def _named(workspace: str, name: str) -> list[sa.ColumnElement[bool]]:
    return [_endpoints.c.workspace == workspace, _endpoints.c.name == name]
