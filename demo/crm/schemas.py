"""What goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from demo.common.schemas import LEFT_OUT, WHOLE, Email, Line, Note, Number, Part, QueryNumber, Row, Title

LeadStatus = Literal["new", "contacted", "qualified", "won", "lost"]
Source = Literal["website", "referral", "storm", "phone", "fair"]
ProjectStatus = Literal["planned", "active", "paused", "finished"]
Roof = Literal["shingle", "tile", "metal", "flat", "slate"]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ().-]{3,29}$")]
Cents = Annotated[int, Field(ge=0, le=1_000_000_000), WHOLE]


class NewLead(BaseModel):
    """Somebody who may become a customer."""

    name: Line
    email: Email
    phone: Phone
    source: Source = "website"
    notes: Note = ""


class LeadChanges(BaseModel):
    """The fields of a lead to set; what is left out stays."""

    name: Line = LEFT_OUT
    email: Email = LEFT_OUT
    phone: Phone = LEFT_OUT
    status: LeadStatus = LEFT_OUT
    notes: Note = LEFT_OUT


class LeadFilters(Part):
    """Which leads to list."""

    status: LeadStatus | None = None
    source: Source | None = None


class LeadItem(Row):
    """A lead."""

    id: int
    name: str
    email: str
    phone: str
    source: str
    status: str
    notes: str
    created_at: datetime


class LeadPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[LeadItem]
    next_before: int | None


class NewCustomer(BaseModel):
    """Somebody whose roof is to be worked on."""

    name: Line
    email: Email
    phone: Phone
    city: Line


class CustomerChanges(BaseModel):
    """The fields of a customer to set; what is left out stays."""

    name: Line = LEFT_OUT
    email: Email = LEFT_OUT
    phone: Phone = LEFT_OUT
    city: Line = LEFT_OUT


class CustomerFilters(Part):
    """Which customers to list."""

    city: Line | None = None


class CustomerItem(Row):
    """A customer."""

    id: int
    name: str
    email: str
    phone: str
    city: str
    created_at: datetime


class CustomerPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[CustomerItem]
    next_before: int | None


class NewProject(BaseModel):
    """A roof to be worked on."""

    customer_id: Number
    title: Title
    roof: Roof = "shingle"
    value_cents: Cents = 0


class ProjectChanges(BaseModel):
    """The fields of a project to set; what is left out stays."""

    title: Title = LEFT_OUT
    roof: Roof = LEFT_OUT
    status: ProjectStatus = LEFT_OUT
    value_cents: Cents = LEFT_OUT


class ProjectFilters(Part):
    """Which projects to list."""

    status: ProjectStatus | None = None
    roof: Roof | None = None
    customer_id: QueryNumber | None = None


class ProjectItem(Row):
    """A project."""

    id: int
    customer_id: int
    title: str
    roof: str
    status: str
    value_cents: int
    created_at: datetime
    finished_at: datetime | None


class ProjectPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[ProjectItem]
    next_before: int | None


class Dashboard(BaseModel):
    """The first page that everybody sees; at most half a minute old."""

    newest_leads: list[LeadItem]
    active_projects: list[ProjectItem]


class Metrics(BaseModel):
    """The numbers on the first page; at most half a minute old."""

    leads_by_status: dict[str, int]
    projects_by_status: dict[str, int]
    customers: int
    open_value_cents: int


class RevenueRow(BaseModel):
    """What the finished projects of a month brought."""

    month: str
    projects: int
    value_cents: int


class FunnelRow(BaseModel):
    """How many leads got at least so far."""

    stage: str
    leads: int
    share: float


class ConversionRow(BaseModel):
    """How many leads of a source were won."""

    source: str
    leads: int
    won: int
    rate: float
