from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from estiva.records import Evidence, Publication, ServiceKey, StepName
from estiva.registry import database
from estiva.registry.database import REVISION, Database
from estiva.registry.migrations import configuration
from estiva.registry.store import Store
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


def test_services_of_the_first_release_are_kept(tmp_path: Path) -> None:
    """As revision 1 wrote them: the port moves to the publication, the replicas to the scaling."""
    file = tmp_path / "old.db"
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        for statement in _OLD_ROWS:
            connection.exec_driver_sql(statement)
    engine.dispose()
    store = Store(f"sqlite:///{file}")
    service = store.service(ServiceKey(workspace="lab", service="diabetes"))
    assert service.publication == Publication(host="127.0.0.1", port=8890)
    assert (service.scaling.replicas, service.serving, service.tags) == (3, 2, {"a": "b"})
    assert service.updated_time.isoformat() == "2026-01-02T03:04:05+00:00"
    newest, first = store.generations(service.key)
    assert (newest.spec.settings.scoring_timeout_ms, newest.spec.variables) == (500, {"LEVEL": "info"})
    assert (first.evidence, newest.evidence) == (None, Evidence(step=StepName.INIT, exit_code=3))
    keys = store.credentials("lab", "diabetes")
    assert keys.primary_key != keys.secondary_key
    assert len(keys.token_grant) == 32
    store.close()
    raw = sqlite3.connect(file)
    assert raw.execute("SELECT count(*) FROM generations WHERE evidence IS NULL").fetchone() == (1,)
    assert raw.execute("PRAGMA foreign_key_check").fetchall() == []
    raw.close()


_SPEC = json.dumps(
    {
        "models": [],
        "code": {"tree": {"files": []}, "entry_script": "score.py", "entry_path": "/home/ana/score.py"},
        "environment": {"name": "sklearn"},
        "interpreter": "/usr/bin/python3",
        "settings": {"host": "127.0.0.1", "port": 8890, "replicas": 3, "scoring_timeout_ms": 500},
        "variables": {"LEVEL": "info"},
    }
)
_TIME = "2026-01-02 03:04:05.000000"
_GENERATION = f"'{_SPEC}', 'deploy', '[]', '[]'"
_EVIDENCE = """'{"step": "init", "exit_code": 3}'"""
_OLD_ROWS = (
    f"INSERT INTO workspaces VALUES ('lab', '', '', '', '{{}}', '{_TIME}')",
    f"""INSERT INTO services VALUES ('lab', 'diabetes', 'local', 'Healthy', 8890, '127.0.0.1', 2, 2, NULL,
    '{{"a": "b"}}', '{{}}', '{_TIME}', '{_TIME}')""",
    f"""INSERT INTO generations
    VALUES ('lab', 'diabetes', 1, 'superseded', {_GENERATION}, NULL, '[]', '{_TIME}')""",
    f"""INSERT INTO generations
    VALUES ('lab', 'diabetes', 2, 'healthy', {_GENERATION}, {_EVIDENCE}, '[]', '{_TIME}')""",
)
