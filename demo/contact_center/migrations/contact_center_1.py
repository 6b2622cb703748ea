"""Contacts and interactions."""

import sqlalchemy as sa
from alembic import op

revision = "contact_center_1"
down_revision = None
branch_labels = ("contact_center",)
depends_on = "accounts_1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "contacts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("search_name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("contacts_by_kind", "contacts", ["kind", "id"], unique=False)
    op.create_index("contacts_by_name", "contacts", ["search_name", "id"], unique=False)
    op.create_table(
        "interactions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=10), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("interactions_by_contact", "interactions", ["contact_id", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("interactions_by_contact", table_name="interactions")
    op.drop_table("interactions")
    op.drop_index("contacts_by_name", table_name="contacts")
    op.drop_index("contacts_by_kind", table_name="contacts")
    op.drop_table("contacts")
