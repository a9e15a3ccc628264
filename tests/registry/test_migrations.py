from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from estiva.registry import database
from estiva.registry.database import REVISION, Database
from estiva.registry.migrations import configuration
from estiva.registry.tables import metadata


def test_an_upgraded_database_is_what_the_tables_say(url: str) -> None:
    upgraded = Database(url)
    with upgraded.reading() as connection:
        command.check(configuration(connection))
        inspector = sa.inspect(connection)
        assert set(inspector.get_table_names()) == {*metadata.tables, "alembic_version"}
    upgraded.close()


def test_the_upgraded_constraints_are_those_of_the_tables(url: str, tmp_path: Path) -> None:
    """Alembic compares neither primary keys nor what happens on deletion; the tables' own text does."""
    upgraded, created = Database(url), sa.create_engine(f"sqlite:///{tmp_path / 'created.db'}")
    metadata.create_all(created)
    with upgraded.reading() as one, created.connect() as other:
        assert _shape(one) == _shape(other)
    upgraded.close()
    created.dispose()


def _shape(connection: sa.Connection) -> dict[str, object]:
    inspector = sa.inspect(connection)
    return {
        name: [
            [{**column, "type": str(column["type"])} for column in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            inspector.get_foreign_keys(name),
            inspector.get_unique_constraints(name),
            inspector.get_indexes(name),
        ]
        for name in metadata.tables
    }


def test_the_newest_migration_is_the_one_that_is_checked_for(url: str) -> None:
    upgraded = Database(url)
    with upgraded.reading() as connection:
        script = ScriptDirectory.from_config(configuration(connection))
    assert script.get_heads() == [REVISION]
    upgraded.close()


def test_an_upgrade_that_is_interrupted_leaves_nothing(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = database._upgrade

    def upgrade_and_fail(connection: sa.Connection) -> None:
        upgrade(connection)
        raise InterruptedError

    monkeypatch.setattr(database, "_upgrade", upgrade_and_fail)
    with pytest.raises(InterruptedError):
        Database(url)
    monkeypatch.undo()
    raw = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert raw.execute("SELECT name FROM sqlite_master").fetchall() == []
    raw.close()
    again = Database(url)
    with again.reading() as connection:
        command.check(configuration(connection))
    again.close()
