"""Approvals."""

import sqlalchemy as sa
from alembic import op

revision = "tickets_2"
down_revision = "tickets_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "approvals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["decided_by_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_by_decision", "approvals", ["decided_at", "id"], unique=False)
    op.create_index("approvals_by_status", "approvals", ["status", "id"], unique=False)
    op.create_index("approvals_by_ticket", "approvals", ["ticket_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("approvals_by_ticket", table_name="approvals")
    op.drop_index("approvals_by_status", table_name="approvals")
    op.drop_index("approvals_by_decision", table_name="approvals")
    op.drop_table("approvals")
