"""Leads, customers and projects."""

import sqlalchemy as sa
from alembic import op

revision = "crm_1"
down_revision = None
branch_labels = ("crm",)
depends_on = "accounts_1"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "customers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("customers_by_city", "customers", ["city", "id"], unique=False)
    op.create_table(
        "leads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=30), nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("leads_by_source", "leads", ["source", "id"], unique=False)
    op.create_index("leads_by_status", "leads", ["status", "id"], unique=False)
    op.create_table(
        "projects",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("roof", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("value_cents", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("finished_at", sa.DateTime(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("projects_by_customer", "projects", ["customer_id", "id"], unique=False)
    op.create_index("projects_by_roof", "projects", ["roof", "id"], unique=False)
    op.create_index("projects_by_status", "projects", ["status", "id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_index("projects_by_status", table_name="projects")
    op.drop_index("projects_by_roof", table_name="projects")
    op.drop_index("projects_by_customer", table_name="projects")
    op.drop_table("projects")
    op.drop_index("leads_by_status", table_name="leads")
    op.drop_index("leads_by_source", table_name="leads")
    op.drop_table("leads")
    op.drop_index("customers_by_city", table_name="customers")
    op.drop_table("customers")
