"""The tables. Every query of the service is served by one of the indices named here."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from demo.common.models import Base, User, now

STATUSES = ("open", "in_progress", "waiting", "resolved", "closed")
PRIORITIES = ("low", "medium", "high", "urgent")
DUE_HOURS = {"urgent": 4, "high": 24, "medium": 72, "low": 168}
CATEGORIES = ("hardware", "software", "network", "access", "purchase", "facilities")


class Ticket(Base):
    """Something that somebody wants done."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index("tickets_by_status", "status", "id"),
        Index("tickets_by_priority", "priority", "id"),
        Index("tickets_by_category", "category", "id"),
        Index("tickets_by_requester", "requester_id", "id"),
        Index("tickets_by_assignee", "assignee_id", "id"),
        Index("tickets_by_resolution", "resolved_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(12))
    priority: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(12), default="open")
    department: Mapped[str] = mapped_column(String(20))
    requester_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    # Kept here so that a list needs no count per row.
    comment_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now)
    due_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]

    requester: Mapped[User] = relationship(foreign_keys=[requester_id])
    assignee: Mapped[User | None] = relationship(foreign_keys=[assignee_id])


class TicketWord(Base):
    """The inverted index behind the search: which tickets have this word in their title."""

    __tablename__ = "ticket_words"
    __table_args__ = (Index("ticket_words_by_ticket", "ticket_id"), {"sqlite_with_rowid": False})

    word: Mapped[str] = mapped_column(String(40), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)


class TicketEvent(Base):
    """One change of a ticket, for its history."""

    __tablename__ = "ticket_events"
    __table_args__ = (Index("ticket_events_by_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    changed: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)

    actor: Mapped[User] = relationship()


class Comment(Base):
    """What somebody said about a ticket."""

    __tablename__ = "comments"
    __table_args__ = (Index("comments_by_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)

    author: Mapped[User] = relationship()


class Attachment(Base):
    """A file that belongs to a ticket."""

    __tablename__ = "attachments"
    __table_args__ = (Index("attachments_by_ticket", "ticket_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    uploader_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    filename: Mapped[str] = mapped_column(String(200))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Approval(Base):
    """A ticket that costs money, waiting for a manager or decided by one."""

    __tablename__ = "approvals"
    __table_args__ = (
        Index("approvals_by_status", "status", "id"),
        Index("approvals_by_decision", "decided_at", "id"),
        Index("approvals_by_ticket", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    amount: Mapped[int]
    reason: Mapped[str] = mapped_column(String(200))
    status: Mapped[str] = mapped_column(String(10), default="pending")
    note: Mapped[str] = mapped_column(String(500), default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)

    ticket: Mapped[Ticket] = relationship()
    decided_by: Mapped[User | None] = relationship()
