"""Plans, API keys and what was used."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from demo.common.models import Base, now

METERS = ("requests", "compute_seconds", "storage_mb", "tokens")


class Plan(Base):
    """Something to subscribe to."""

    __tablename__ = "plans"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    monthly_cents: Mapped[int]
    included: Mapped[int]


class ApiKey(Base):
    """What programs sign in with; the key itself is shown once and never stored."""

    __tablename__ = "api_keys"
    __table_args__ = (Index("api_keys_by_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(80))
    prefix: Mapped[str] = mapped_column(String(8))
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)


class UsageEvent(Base):
    """So much of something was used."""

    __tablename__ = "usage_events"
    __table_args__ = (Index("usage_events_by_user", "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    meter: Mapped[str] = mapped_column(String(20))
    quantity: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=now)
