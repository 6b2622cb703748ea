"""Generation tasks, subscriptions and payments."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from demo.common.models import Base, now

PLANS = {"free": 0, "starter": 1_900, "team": 4_900, "business": 19_900}
"""Each plan with what a month of it costs, in cents."""


class GenerationTask(Base):
    """Something to be generated, which takes a while."""

    __tablename__ = "generation_tasks"
    __table_args__ = (
        Index("generation_tasks_by_user", "user_id", "id"),
        Index("generation_tasks_by_status", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(String(10))
    prompt: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(10), default="running")
    result: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class Subscription(Base):
    """A plan that somebody pays for."""

    __tablename__ = "subscriptions"
    __table_args__ = (Index("subscriptions_by_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    plan: Mapped[str] = mapped_column(String(10))
    status: Mapped[str] = mapped_column(String(10))
    started_at: Mapped[datetime] = mapped_column(default=now)


class Payment(Base):
    """Money that changed hands once, however often the request for it was sent."""

    __tablename__ = "payments"
    __table_args__ = (
        Index("payments_by_user", "user_id", "id"),
        UniqueConstraint("user_id", "idempotency_key", name="payments_once"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    description: Mapped[str] = mapped_column(String(200))
    subscription_id: Mapped[int | None] = mapped_column(ForeignKey("subscriptions.id"))
    idempotency_key: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
