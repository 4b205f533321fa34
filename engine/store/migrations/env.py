"""Where alembic runs the revisions: on the connection that `Database.upgrade` holds."""

from alembic import context

from engine.store.user_tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
