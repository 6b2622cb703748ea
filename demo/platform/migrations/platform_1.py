"""Generation tasks."""

import sqlalchemy as sa
from alembic import op

revision = "platform_1"
down_revision = None
branch_labels = ("platform",)
depends_on = "accounts_1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "generation_tasks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("result", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("generation_tasks_by_status", "generation_tasks", ["status"], unique=False)
    op.create_index("generation_tasks_by_user", "generation_tasks", ["user_id", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("generation_tasks_by_user", table_name="generation_tasks")
    op.drop_index("generation_tasks_by_status", table_name="generation_tasks")
    op.drop_table("generation_tasks")
