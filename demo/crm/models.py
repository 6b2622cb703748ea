"""Leads, customers and their projects."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from demo.common.models import Base, now

LEAD_STATUSES = ("new", "contacted", "qualified", "won", "lost")
SOURCES = ("website", "referral", "storm", "phone", "fair")
PROJECT_STATUSES = ("planned", "active", "paused", "finished")
ROOFS = ("shingle", "tile", "metal", "flat", "slate")


class Lead(Base):
    """Somebody who may become a customer."""

    __tablename__ = "leads"
    __table_args__ = (Index("leads_by_status", "status", "id"), Index("leads_by_source", "source", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(30))
    source: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default="new")
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Customer(Base):
    """Somebody whose roof is or was worked on."""

    __tablename__ = "customers"
    __table_args__ = (Index("customers_by_city", "city", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(30))
    city: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Project(Base):
    """A roof."""

    __tablename__ = "projects"
    __table_args__ = (
        Index("projects_by_status", "status", "id"),
        Index("projects_by_roof", "roof", "id"),
        Index("projects_by_customer", "customer_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    title: Mapped[str] = mapped_column(String(120))
    roof: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10), default="planned")
    value_cents: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
