"""The tables that every system builds on: accounts and their sign-ins."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, ForeignKey, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

DEPARTMENTS = ("engineering", "finance", "legal", "operations", "people", "sales")
ROLES = ("user", "manager", "admin")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC, stored without its zone because SQLite has none."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Drop the zone on the way in."""
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Name the zone on the way out."""
        return None if value is None else value.replace(tzinfo=UTC)


def now() -> datetime:
    """The current moment, in the one zone that the service knows."""
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """The metadata of all tables."""

    type_annotation_map = {datetime: UtcDateTime}


class User(Base):
    """Somebody who can sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(120), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    role: Mapped[str] = mapped_column(String(10))
    department: Mapped[str] = mapped_column(String(20))
    password_hash: Mapped[str] = mapped_column(String(100), deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class LoginSession(Base):
    """One sign-in; its tokens are good until it is ended."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    started_at: Mapped[datetime] = mapped_column(default=now)
    ended_at: Mapped[datetime | None]

    user: Mapped[User] = relationship()
