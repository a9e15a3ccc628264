"""Alembic's migrations of the registry's database.

A new one: change `tables.py`, write `versions/r0002_what_it_does.py` after its predecessor, raise
`database.REVISION`. A test fails until the upgraded database and `tables.py` agree.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection


def configuration(connection: Connection) -> Config:
    """Alembic's configuration for work on this connection, in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
