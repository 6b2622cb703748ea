"""What goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Status = Literal["open", "in_progress", "waiting", "resolved", "closed"]
Priority = Literal["low", "medium", "high", "urgent"]
Category = Literal["hardware", "software", "network", "access", "purchase", "facilities"]
Department = Literal["engineering", "finance", "legal", "operations", "people", "sales"]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=120, to_lower=True)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=120)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]


class Row(BaseModel):
    """Read from an object of the database."""

    model_config = ConfigDict(from_attributes=True)


class Credentials(BaseModel):
    """What a sign-in needs."""

    email: Email
    password: str = Field(min_length=1, max_length=200)


class Registration(Credentials):
    """A new account; its role is `user`."""

    name: str = Field(min_length=1, max_length=80)
    department: Department = "operations"


class Refresh(BaseModel):
    """The long-lived token of a sign-in."""

    refresh_token: str


class TokenPair(BaseModel):
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"


class Profile(Row):
    """The person who asks."""

    id: int
    email: str
    name: str
    role: str
    department: str


class Person(Row):
    """A name beside something."""

    id: int
    name: str


class NewTicket(BaseModel):
    """What somebody wants done."""

    title: Title
    description: Text
    category: Category = "software"
    priority: Priority = "medium"
    amount: int | None = Field(default=None, ge=1, le=1_000_000, description="If given, a manager has to approve it")


class TicketChanges(BaseModel):
    """The fields of a ticket to set; what is left out stays."""

    title: Title | None = None
    description: Text | None = None
    priority: Priority | None = None
    status: Status | None = None
    assignee_id: int | None = None


class Part(BaseModel):
    """Which part of a list: so many, from those before a number."""

    before: int | None = Field(default=None, ge=1, le=2**31 - 1)
    limit: int = Field(default=25, ge=1, le=100)


class TicketFilters(Part):
    """Which tickets to list; what is left out does not matter."""

    status: Status | None = None
    priority: Priority | None = None
    category: Category | None = None
    mine: bool = False


class Search(Part):
    """Words to look for."""

    q: str = Field(max_length=100)


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
    note: str = Field(default="", max_length=500)


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


class Counts(BaseModel):
    """How much test data to create."""

    model_config = ConfigDict(extra="forbid")

    users: int = Field(default=200, ge=0, le=9_999)
    managers: int = Field(default=20, ge=0, le=999)
    admins: int = Field(default=5, ge=0, le=99)
    tickets: int = Field(default=2_000, ge=0, le=1_000_000)
    comments: int = Field(default=4_000, ge=0, le=1_000_000)
    approvals: int = Field(default=300, ge=0, le=1_000_000)


class SeedOrder(BaseModel):
    """The same order gives the same data, anywhere and at any time."""

    model_config = ConfigDict(extra="forbid")

    rng_seed: int = 1
    counts: Counts = Counts()


class Created(BaseModel):
    """What was created, and a digest of all of it."""

    created: dict[str, int]
    digest: str


class Deleted(BaseModel):
    """How many rows went, by table."""

    deleted: dict[str, int]
