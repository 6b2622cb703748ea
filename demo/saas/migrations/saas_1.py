"""Plans, API keys and usage."""

import sqlalchemy as sa
from alembic import op

revision = "saas_1"
down_revision = None
branch_labels = ("saas",)
depends_on = "accounts_1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("monthly_cents", sa.Integer(), nullable=False),
        sa.Column("included", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("prefix", sa.String(length=8), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("api_keys_by_user", "api_keys", ["user_id", "id"], unique=False)
    op.create_table(
        "usage_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("meter", sa.String(length=20), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("usage_events_by_user", "usage_events", ["user_id", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("usage_events_by_user", table_name="usage_events")
    op.drop_table("usage_events")
    op.drop_index("api_keys_by_user", table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_table("plans")
