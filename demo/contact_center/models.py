"""Contacts with what was said to them, calendar events, calls, phone verifications."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from demo.common.models import Base, now

KINDS = ("family", "funeral_home", "vendor", "visitor")
CHANNELS = ("phone", "email", "visit", "letter")
EVENT_KINDS = ("appointment", "burial", "visit", "maintenance")
CALL_STATUSES = ("ringing", "in-progress", "completed", "busy", "no-answer", "failed")


class Contact(Base):
    """Somebody to talk to."""

    __tablename__ = "contacts"
    __table_args__ = (Index("contacts_by_kind", "kind", "id"), Index("contacts_by_name", "search_name", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(80))
    search_name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str] = mapped_column(String(120))
    phone: Mapped[str] = mapped_column(String(30))
    kind: Mapped[str] = mapped_column(String(20))
    notes: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=now)


class Interaction(Base):
    """One thing that was said to a contact, or by one."""

    __tablename__ = "interactions"
    __table_args__ = (Index("interactions_by_contact", "contact_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contacts.id", ondelete="CASCADE"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    channel: Mapped[str] = mapped_column(String(10))
    summary: Mapped[str] = mapped_column(String(500))
    created_at: Mapped[datetime] = mapped_column(default=now)


class Event(Base):
    """Something that happens at a time, with a contact or without."""

    __tablename__ = "events"
    __table_args__ = (Index("events_by_start", "starts_at", "id"), Index("events_by_contact", "contact_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contacts.id", ondelete="SET NULL"))
    title: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Call(Base):
    """One phone call, as the provider tells of it."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_by_status", "status", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(String(40), unique=True)
    caller: Mapped[str] = mapped_column(String(30))
    called: Mapped[str] = mapped_column(String(30))
    status: Mapped[str] = mapped_column(String(12))
    seconds: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(default=now)


class Verification(Base):
    """A phone number that somebody says is theirs."""

    __tablename__ = "verifications"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    phone: Mapped[str] = mapped_column(String(30))
    code_sha256: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    started_at: Mapped[datetime] = mapped_column(default=now)
    confirmed_at: Mapped[datetime | None]
