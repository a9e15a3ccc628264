from __future__ import annotations

import inspect
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from estiva.errors import RegistryException
from estiva.records import Workspace
from estiva.registry import database
from estiva.registry.database import CODES, REVISION, Database, code_of
from estiva.registry.store import Store
from tests.registry.samples import generation, model, service, spec


@pytest.fixture
def raw(url: str, store: Store) -> Iterator[sqlite3.Connection]:
    """A connection to the same file, past everything that Estiva does."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    yield connection
    connection.close()


def test_what_each_connection_is_set_to(store: Store) -> None:
    with store.reading() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert settings == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 30_000, "synchronous": 1}


def test_a_database_of_a_newer_release_is_left_alone(store: Store, url: str, raw: sqlite3.Connection) -> None:
    raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(RegistryException, match=r"newer release of Estiva: its format is 9999") as caught:
        Store(url)
    assert caught.value.code == "DatabaseTooNew"
    assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_alembic_is_not_imported_when_nothing_is_to_be_upgraded(store: Store, url: str) -> None:
    source = "import sys; from estiva.registry.store import Store; Store(sys.argv[1]).close()"
    source += "; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", source, url], check=True, timeout=30)


def test_readers_do_not_wait_for_a_writer(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(sa.text("UPDATE workspaces SET location = 'there'"))
        assert store.workspace("lab").location == ""
    assert store.workspace("lab").location == "there"


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.writing() as connection:
            connection.execute(sa.text("UPDATE workspaces SET location = 'there'"))
            connection.execute(sa.text("INSERT INTO workspaces (name) VALUES ('lab')"))

    with pytest.raises(RegistryException) as caught:
        fail()
    assert caught.value.code == "RegistryConflict"
    assert store.workspace("lab").location == ""


def test_a_locked_database(
    store: Store, raw: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0)
    impatient = Store(url)
    raw.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegistryException, match="locked by another process") as caught:
        impatient.add_model("lab", model())
    assert caught.value.code == "RegistryBusy"
    raw.execute("ROLLBACK")
    impatient.close()
    assert store.add_model("lab", model()).version == 1


def test_a_damaged_database(store: Store, url: str, tmp_path: Path) -> None:
    store.close()
    (tmp_path / "estiva.db").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(RegistryException, match="is damaged") as caught:
        Store(url)
    assert caught.value.code == "RegistryDamaged"


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(RegistryException, match="could not be opened") as caught:
        Store(f"sqlite:///{tmp_path}/no/such/folder/estiva.db")
    assert caught.value.code == "RegistryUnreachable"
    assert "No such file" in caught.value.detail


def test_a_full_disk(small_disk: Path) -> None:
    store = Store(f"sqlite:///{small_disk}/estiva.db")
    store.create_workspace(Workspace(name="lab"))
    kept = store.add_model("lab", model())
    with pytest.raises(RegistryException, match="The disk is full") as caught:
        store.add_model("lab", model(description="x" * 6_000_000))
    assert caught.value.code == "DiskFull"
    assert store.models("lab") == [kept]
    store.close()


@pytest.mark.parametrize(
    "url", ["", "no url", "nothing:///x", "sqlite+nothing:///x", "postgresql+nothing://h/d"]
)
def test_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(RegistryException) as caught:
        Database(url)
    assert caught.value.code == "RegistryUrlInvalid"


def test_an_error_does_not_show_what_was_to_be_stored(store: Store, raw: sqlite3.Connection) -> None:
    raw.execute("ALTER TABLE generations RENAME TO hidden")
    with pytest.raises(RegistryException) as caught:
        store.create_service(service(), generation(1, spec()))
    assert caught.value.code == "RegistryDamaged"
    assert "no such table" in caught.value.detail
    assert "hunter2" not in caught.value.detail
    assert "hunter2" not in str(caught.value.__cause__)


def _exceptions() -> list[type[exc.SQLAlchemyError]]:
    found = [
        kind for _, kind in inspect.getmembers(exc, inspect.isclass) if issubclass(kind, exc.SQLAlchemyError)
    ]
    assert len(found) > 30
    return [kind for kind in found if kind is not exc.SQLAlchemyError]


@pytest.mark.parametrize("kind", _exceptions(), ids=lambda kind: str(kind.__name__))
def test_every_exception_of_sqlalchemy_has_a_code(kind: type[exc.SQLAlchemyError]) -> None:
    assert any(ancestor in CODES for ancestor in kind.__mro__)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("database or disk is full", "DiskFull"),
        ("database is locked", "RegistryBusy"),
        ("database table is locked: models", "RegistryBusy"),
        ("database disk image is malformed", "RegistryDamaged"),
        ("file is not a database", "RegistryDamaged"),
        ("disk I/O error", "RegistryDamaged"),
        ("attempt to write a readonly database", "RegistryReadOnly"),
        ("no such column: colour", "RegistryDamaged"),
        ("unable to open database file", "RegistryUnreachable"),
    ],
)
def test_what_sqlite_says(said: str, code: str) -> None:
    assert code_of(exc.OperationalError("SELECT 1", None, sqlite3.OperationalError(said))) == code


def test_the_revision_is_a_number_that_sorts() -> None:
    assert len(REVISION) == 4
    assert REVISION.isdigit()
