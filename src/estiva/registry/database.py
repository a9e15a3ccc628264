"""The connection: how it is opened and brought up to date, and where its errors are translated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydantic_core
import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy import exc

from estiva.errors import RegistryException

REVISION = "0009"
"""The newest migration. Migrations are numbered, so a greater one belongs to a newer release."""

_BUSY_SECONDS = 30
_BEGIN = "estiva_begin"


class Database:
    """Transactions on the registry's database, brought up to date when it is opened.

    Safe for many threads and processes. Every method raises RegistryException as `translated` says.
    """

    def __init__(self, url: str) -> None:
        """`url` as SQLAlchemy takes it: "sqlite:///FILE", or that of a PostgreSQL database.

        Raises RegistryException with code "DatabaseTooNew" if a newer release has written the database.
        """
        with translated():
            self._engine = _engine(url)
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the idle connections. Idempotent."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state of the database."""
        with translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that waits for other writing ones to end, and then is the only one (on SQLite)."""
        # A transaction that began by reading could not become a writing one while another writes.
        with self._beginning_with("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def _beginning_with(self, statement: str) -> Iterator[sa.Connection]:
        with translated(), self._engine.execution_options(**{_BEGIN: statement}).begin() as connection:
            yield connection

    def _prepare(self) -> None:
        with self.reading() as connection:
            if _is_current(connection):
                return
        with self._alone():
            if self._engine.dialect.name == "sqlite":
                with self._beginning_with("") as connection:  # not allowed within a transaction
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            with self.writing() as connection:
                if not _is_current(connection):
                    _upgrade(connection)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keeps others from preparing the same new file: the change to WAL does not wait for locks."""
        if self._engine.dialect.name != "sqlite":
            yield
            return
        try:
            with FileLock(f"{self._engine.url.database}.lock", timeout=_BUSY_SECONDS):
                yield
        except Timeout as error:
            raise _error("RegistryBusy", str(error)) from error


# --- opening ---------------------------------------------------------------------------------------------


def _engine(url: str) -> sa.Engine:
    try:
        # hide_parameters: a secret must not show in an error's text.
        engine = sa.create_engine(
            url, hide_parameters=True, json_serializer=_json_text, json_deserializer=pydantic_core.from_json
        )
    except ModuleNotFoundError as error:
        raise _error("RegistryUrlInvalid", f"the database's driver is not installed: {error}") from error
    if engine.dialect.name == "sqlite":
        _make_private(Path(engine.url.database or ""))
        sa.event.listen(engine, "connect", _configure)
        sa.event.listen(engine, "begin", _begin)
    return engine


def _json_text(value: Any) -> str:
    return pydantic_core.to_json(value).decode()


def _make_private(file: Path) -> None:
    try:
        file.touch(mode=0o600)
        file.chmod(0o600)
    except OSError as error:
        raise _error("RegistryUnreachable", f"{file}: {error.strerror}") from error


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver thinks
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)


def _is_current(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    found = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    if found is not None and found > REVISION:
        raise RegistryException(
            f"The registry's database was written by a newer release of Estiva: its format is {found}, and "
            f"this release knows {REVISION}. Use that release or a later one, or another ESTIVA_HOME.",
            code="DatabaseTooNew",
        )
    return bool(found == REVISION)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command  # imported only when needed: it doubles the time of a start

    from estiva.registry.migrations import configuration

    command.upgrade(configuration(connection), "head")


# --- errors ----------------------------------------------------------------------------------------------

_SENTENCES = {
    "DiskFull": "The disk is full, so the registry's database could not be written. "
    "Free some space where it is kept, and try again.",
    "RegistryBusy": f"The registry's database was locked by another process for {_BUSY_SECONDS} seconds. "
    "Try again when it has finished.",
    "RegistryDamaged": "The registry's database is damaged. Stop Estiva and restore it from a backup.",
    "RegistryReadOnly": "The registry's database may not be written. Check its owner and its permissions.",
    "RegistryUnreachable": "The registry's database could not be opened or reached. "
    "Check that it is there and that you may use it.",
    "RegistryConflict": "The registry refused a change because it contradicts what is stored. "
    "Look at the current state, and try again.",
    "RegistryUrlInvalid": "The registry's database URL cannot be used. "
    "Give one such as sqlite:////path/to/estiva.db or postgresql+psycopg://user@host/name.",
    "RegistryFailed": "The registry's database did not do what it was asked. "
    "This is an error in Estiva: please report it with the log of the control server.",
}

# What SQLite says. Its error numbers reach Python only from 3.11 on; its sentences are stable.
_SQLITE_WORDS = {
    "database or disk is full": "DiskFull",
    "is locked": "RegistryBusy",
    "malformed": "RegistryDamaged",
    "is not a database": "RegistryDamaged",
    "disk I/O error": "RegistryDamaged",
    "no such table": "RegistryDamaged",
    "no such column": "RegistryDamaged",
    "readonly database": "RegistryReadOnly",
}

# SQLAlchemy's exceptions; the nearest ancestor in this table decides.
CODES: dict[type[exc.SQLAlchemyError], str] = {
    exc.NoSuchModuleError: "RegistryUrlInvalid",
    exc.ArgumentError: "RegistryUrlInvalid",
    exc.TimeoutError: "RegistryBusy",
    exc.DisconnectionError: "RegistryUnreachable",
    exc.IntegrityError: "RegistryConflict",
    exc.OperationalError: "RegistryUnreachable",
    exc.InterfaceError: "RegistryUnreachable",
    exc.StatementError: "RegistryFailed",
    exc.InvalidRequestError: "RegistryFailed",
    exc.CompileError: "RegistryFailed",
    exc.CircularDependencyError: "RegistryFailed",
    exc.IdentifierError: "RegistryFailed",
}


@contextmanager
def translated() -> Iterator[None]:
    """Turns SQLAlchemy's errors into RegistryException, with one of the codes above."""
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise _error(code_of(error), f"{type(error).__name__}: {error}") from error


def code_of(error: exc.SQLAlchemyError) -> str:
    """The stable code of what went wrong."""
    said = str(error.orig) if isinstance(error, exc.DBAPIError) else ""
    for words, code in _SQLITE_WORDS.items():
        if words in said:
            return code
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), "RegistryFailed")


def _error(code: str, detail: str) -> RegistryException:
    return RegistryException(_SENTENCES[code], code=code, detail=detail)
