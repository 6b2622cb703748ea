"""Tickets with their words, events, comments, attachments and approvals."""

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
        sa.ForeignKeyConstraint(
            ["assignee_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["requester_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("tickets_by_assignee", "tickets", ["assignee_id", "id"], unique=False)
    op.create_index("tickets_by_category", "tickets", ["category", "id"], unique=False)
    op.create_index("tickets_by_priority", "tickets", ["priority", "id"], unique=False)
    op.create_index("tickets_by_requester", "tickets", ["requester_id", "id"], unique=False)
    op.create_index("tickets_by_resolution", "tickets", ["resolved_at"], unique=False)
    op.create_index("tickets_by_status", "tickets", ["status", "id"], unique=False)
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
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_by_decision", "approvals", ["decided_at", "id"], unique=False)
    op.create_index("approvals_by_status", "approvals", ["status", "id"], unique=False)
    op.create_index("approvals_by_ticket", "approvals", ["ticket_id"], unique=False)
    op.create_table(
        "attachments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("uploader_id", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("content_type", sa.String(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.id"],
        ),
        sa.ForeignKeyConstraint(
            ["uploader_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attachments_by_ticket", "attachments", ["ticket_id", "id"], unique=False)
    op.create_table(
        "comments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comments_by_ticket", "comments", ["ticket_id", "id"], unique=False)
    op.create_table(
        "ticket_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("changed", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["users.id"],
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ticket_events_by_ticket", "ticket_events", ["ticket_id", "id"], unique=False)
    op.create_table(
        "ticket_words",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"],
            ["tickets.id"],
        ),
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
    op.drop_index("comments_by_ticket", table_name="comments")
    op.drop_table("comments")
    op.drop_index("attachments_by_ticket", table_name="attachments")
    op.drop_table("attachments")
    op.drop_index("approvals_by_ticket", table_name="approvals")
    op.drop_index("approvals_by_status", table_name="approvals")
    op.drop_index("approvals_by_decision", table_name="approvals")
    op.drop_table("approvals")
    op.drop_index("tickets_by_status", table_name="tickets")
    op.drop_index("tickets_by_resolution", table_name="tickets")
    op.drop_index("tickets_by_requester", table_name="tickets")
    op.drop_index("tickets_by_priority", table_name="tickets")
    op.drop_index("tickets_by_category", table_name="tickets")
    op.drop_index("tickets_by_assignee", table_name="tickets")
    op.drop_table("tickets")
