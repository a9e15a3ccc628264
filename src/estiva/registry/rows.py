"""Records into rows and back. The only place that takes secrets out of their wrappers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any, TypeVar

from pydantic import SecretStr, ValidationError
from sqlalchemy import RowMapping

from estiva.errors import RegistryException
from estiva.records import Credentials, DeploymentSpec, Environment, Generation, Record, Service, ServiceKey

RecordT = TypeVar("RecordT", bound=Record)


def row(record: Record) -> dict[str, Any]:
    """Column values of a record whose fields are columns; the database writes nested records as JSON."""
    return {name: _value(value) for name, value in record}


def changed_row(record: Record, changes: Collection[str]) -> dict[str, Any]:
    """Column values of these fields alone."""
    columns = row(record)
    return {name: columns[name] for name in changes}


def _value(value: Any) -> Any:
    if isinstance(value, DeploymentSpec):
        secrets = {name: _value(secret) for name, secret in value.secrets.items()}
        # With the password of the base image's registry: the image is built from what is written here.
        environment = value.environment.model_dump(mode="json", context={"reveal": True})
        return {**dict(value), "secrets": secrets, "environment": environment}
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return value.value if isinstance(value, Enum) else value


def service_row(service: Service) -> dict[str, Any]:
    """As `row`, with the key as three columns."""
    columns = row(service)
    key: ServiceKey = columns.pop("key")
    return {"workspace": key.workspace, "name": key.service, "version": version(key), **columns}


def generation_row(key: ServiceKey, generation: Generation) -> dict[str, Any]:
    """As `row`, with the key of the service."""
    return {
        "workspace": key.workspace,
        "service": key.service,
        "version": version(key),
        **row(generation),
    }


def version(key: ServiceKey) -> str:
    """As it is stored: a part of a primary key cannot be NULL."""
    return key.version or ""


def credentials_row(workspace: str, name: str, credentials: Credentials) -> dict[str, Any]:
    """As `row`, with the name that they belong to."""
    return {"workspace": workspace, "name": name, **row(credentials)}


def record(kind: type[RecordT], columns: Mapping[str, Any] | RowMapping) -> RecordT:
    """The record whose fields are among these columns."""
    try:
        return kind.model_validate({name: columns[name] for name in kind.model_fields})
    except ValidationError as error:
        # Without the values, which may be secrets.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        raise RegistryException(
            f"A stored {kind.__name__.lower()} cannot be read: the registry's database is damaged. "
            "Stop Estiva and restore it from a backup.",
            code="RegistryDamaged",
            detail=str(problems),
        ) from None


def environment(columns: RowMapping) -> Environment:
    """The environment of that row, whose version is a number in the database."""
    return record(Environment, {**columns, "version": str(columns["version"])})


def service(columns: RowMapping) -> Service:
    """The service of that row."""
    key = ServiceKey(
        workspace=columns["workspace"], service=columns["name"], version=columns["version"] or None
    )
    return record(Service, {**columns, "key": key})


def changed(old: RecordT, changes: Mapping[str, Any]) -> RecordT:
    """The record with other values, checked as if it were new."""
    return type(old).model_validate({**dict(old), **changes})
