"""Tickets."""

import sqlalchemy as sa
from alembic import op

revision = "tickets_1"
down_revision = None
branch_labels = ("tickets",)
depends_on = "accounts_1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("department", sa.String(length=20), nullable=False),
        sa.Column("requester_id", sa.Integer(), nullable=False),
        sa.Column("assignee_id", sa.Integer(), nullable=True),
        sa.Column("comment_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["assignee_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["requester_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tickets_by_assignee", "tickets", ["assignee_id", "id"], unique=False)
    op.create_index("tickets_by_category", "tickets", ["category", "id"], unique=False)
    op.create_index("tickets_by_priority", "tickets", ["priority", "id"], unique=False)
    op.create_index("tickets_by_requester", "tickets", ["requester_id", "id"], unique=False)
    op.create_index("tickets_by_resolution", "tickets", ["resolved_at"], unique=False)
    op.create_index("tickets_by_status", "tickets", ["status", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("tickets_by_status", table_name="tickets")
    op.drop_index("tickets_by_resolution", table_name="tickets")
    op.drop_index("tickets_by_requester", table_name="tickets")
    op.drop_index("tickets_by_priority", table_name="tickets")
    op.drop_index("tickets_by_category", table_name="tickets")
    op.drop_index("tickets_by_assignee", table_name="tickets")
    op.drop_table("tickets")
