"""Alembic asks this file how the store is reached: by the connection that is open already."""

from alembic import context

from tamis.transcripts.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
