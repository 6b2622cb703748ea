"""The calendar."""

import sqlalchemy as sa
from alembic import op

revision = "contact_center_2"
down_revision = "contact_center_1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("ends_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_by_contact", "events", ["contact_id", "id"], unique=False)
    op.create_index("events_by_start", "events", ["starts_at", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("events_by_start", table_name="events")
    op.drop_index("events_by_contact", table_name="events")
    op.drop_table("events")
