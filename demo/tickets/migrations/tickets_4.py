"""The history of a ticket, and the words by which it is found."""

import sqlalchemy as sa
from alembic import op

revision = "tickets_4"
down_revision = "tickets_3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "ticket_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("changed", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ticket_events_by_ticket", "ticket_events", ["ticket_id", "id"], unique=False)
    op.create_table(
        "ticket_words",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("word", "ticket_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ticket_words_by_ticket", "ticket_words", ["ticket_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ticket_words_by_ticket", table_name="ticket_words")
    op.drop_table("ticket_words")
    op.drop_index("ticket_events_by_ticket", table_name="ticket_events")
    op.drop_table("ticket_events")
