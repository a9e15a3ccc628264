"""What Alembic runs around each command: on the connection that it was given, in the caller's transaction."""

from __future__ import annotations

from alembic import context

from estiva.registry.tables import metadata

# SQLite cannot alter a column: batches copy the table.
context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()
