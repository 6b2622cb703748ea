"""What Alembic runs to reach the database: it is given a connection, in a transaction that the caller commits."""

from alembic import context

from demo.common.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
