"""What goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from demo.common.schemas import LEFT_OUT, WHOLE, Note, Number, Part, Person, Row, Text, Title

Status = Literal["open", "in_progress", "waiting", "resolved", "closed"]
Priority = Literal["low", "medium", "high", "urgent"]
Category = Literal["hardware", "software", "network", "access", "purchase", "facilities"]
Amount = Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


class NewTicket(BaseModel):
    """What somebody wants done."""

    title: Title
    description: Text
    category: Category = "software"
    priority: Priority = "medium"
    amount: Amount | None = Field(default=None, description="If given, a manager has to approve it")


class TicketChanges(BaseModel):
    """The fields of a ticket to set; what is left out stays."""

    title: Title = LEFT_OUT
    description: Text = LEFT_OUT
    priority: Priority = LEFT_OUT
    status: Status = LEFT_OUT
    assignee_id: Number | None = None


class TicketFilters(Part):
    """Which tickets to list; what is left out does not matter."""

    status: Status | None = None
    priority: Priority | None = None
    category: Category | None = None
    mine: bool = False


class Search(TicketFilters):
    """Words to look for, and whatever a list can be filtered by."""

    q: str = Field(pattern=r"\w{2}", max_length=100)


class TicketItem(Row):
    """A ticket in a list."""

    id: int
    title: str
    category: str
    priority: str
    status: str
    department: str
    requester: Person
    assignee: Person | None
    comment_count: int
    created_at: datetime
    updated_at: datetime
    due_at: datetime


class TicketPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[TicketItem]
    next_before: int | None


class CommentItem(Row):
    """A comment and who wrote it."""

    id: int
    author: Person
    body: str
    created_at: datetime


class NewComment(BaseModel):
    """What somebody has to say."""

    body: Text


class AttachmentItem(Row):
    """A file, without its content."""

    id: int
    filename: str
    content_type: str
    size: int
    sha256: str
    created_at: datetime


class EventItem(Row):
    """One change of a ticket."""

    actor: Person
    changed: str
    created_at: datetime


class TicketDetail(TicketItem):
    """A ticket with the latest of everything that belongs to it."""

    description: str
    resolved_at: datetime | None
    comments: list[CommentItem] = []
    attachments: list[AttachmentItem] = []
    history: list[EventItem] = []


class ApprovedTicket(Row):
    """The ticket that an approval is about."""

    id: int
    title: str
    department: str
    requester: Person


class ApprovalItem(Row):
    """A request for money and what became of it."""

    id: int
    ticket: ApprovedTicket
    amount: int
    reason: str
    status: str
    note: str
    decided_by: Person | None
    decided_at: datetime | None
    created_at: datetime


class ApprovalAction(BaseModel):
    """A decision; it can be taken again, and `reopen` takes it back."""

    action: Literal["approve", "reject", "reopen"]
    note: Note = ""


class Dashboard(BaseModel):
    """The first page that everybody sees: the latest tickets and their numbers."""

    window: int = Field(description="How many of the latest tickets the numbers are about")
    by_status: dict[str, int]
    by_priority: dict[str, int]
    mine: int
    pending_approvals: int = Field(description="At most 100")
    latest: list[TicketItem]


class SlaRow(BaseModel):
    """How quickly tickets of one priority were resolved."""

    priority: str
    resolved: int
    in_time: int
    median_hours: float
    p90_hours: float


class VolumeRow(BaseModel):
    """How many tickets of one kind came from one department."""

    category: str
    department: str
    tickets: int
    comments: int
