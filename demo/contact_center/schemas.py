"""What goes over the wire."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Base64Bytes,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic.alias_generators import to_pascal

from demo.common.schemas import LEFT_OUT, WHOLE, Email, Line, Note, Number, Part, QueryNumber, Row, Title

Kind = Literal["family", "funeral_home", "vendor", "visitor"]
Channel = Literal["phone", "email", "visit", "letter"]
EventKind = Literal["appointment", "burial", "visit", "maintenance"]
CallStatus = Literal["ringing", "in-progress", "completed", "busy", "no-answer", "failed"]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ().-]{3,29}$")]
Summary = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=500)]


def _in_utc(moment: datetime) -> datetime:
    """The same moment; one from which no time can be counted on is refused."""
    try:
        return moment.astimezone(UTC) + 2 * LONGEST - 2 * LONGEST
    except OverflowError as error:
        raise ValueError("too far away") from error


LONGEST = timedelta(days=1)


def _text(value: object) -> object:
    if not isinstance(value, str) or not re.match(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("not a date with a time")  # a number would be taken for seconds since 1970
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc), BeforeValidator(_text)]
Minutes = Annotated[int, Field(ge=1, le=LONGEST // timedelta(minutes=1)), WHOLE]


class NewContact(BaseModel):
    """Somebody to talk to."""

    name: Line
    email: Email
    phone: Phone
    kind: Kind = "family"
    notes: Note = ""


class ContactChanges(BaseModel):
    """The fields of a contact to set; what is left out stays."""

    name: Line = LEFT_OUT
    email: Email = LEFT_OUT
    phone: Phone = LEFT_OUT
    kind: Kind = LEFT_OUT
    notes: Note = LEFT_OUT


class ContactFilters(Part):
    """Which contacts to list."""

    kind: Kind | None = None


class ContactSearch(Part):
    """The beginning of a name."""

    q: str = Field(pattern=r"^[^\x00]+$", min_length=2, max_length=80)


class ContactItem(Row):
    """A contact in a list."""

    id: int
    owner_id: int
    name: str
    email: str
    phone: str
    kind: str
    notes: str
    created_at: datetime


class ContactPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[ContactItem]
    next_before: int | None


class NewInteraction(BaseModel):
    """What was said, and how."""

    channel: Channel = "phone"
    summary: Summary


class InteractionItem(Row):
    """What was said to a contact, or by one."""

    id: int
    contact_id: int
    author_id: int
    channel: str
    summary: str
    created_at: datetime


class ContactDetail(ContactItem):
    """A contact with what was said last."""

    interactions: list[InteractionItem]


class ContactStats(BaseModel):
    """Contacts in numbers; at most ten seconds old."""

    contacts: int
    by_kind: dict[str, int]
    interactions: int


class NewEvent(BaseModel):
    """Something that is to happen."""

    title: Title
    kind: EventKind = "appointment"
    contact_id: Number | None = None
    starts_at: Moment
    minutes: Minutes = 60


class EventChanges(BaseModel):
    """The fields of an event to set; what is left out stays."""

    title: Title = LEFT_OUT
    kind: EventKind = LEFT_OUT
    starts_at: Moment = LEFT_OUT
    minutes: Minutes = LEFT_OUT


class EventFilters(BaseModel):
    """Which events to list: the next ones, or those that begin between two moments."""

    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    contact_id: QueryNumber | None = None
    limit: int = Field(default=25, ge=1, le=100)


class EventItem(Row):
    """Something that happens."""

    id: int
    owner_id: int
    contact_id: int | None
    title: str
    kind: str
    starts_at: datetime
    ends_at: datetime


class EventStats(BaseModel):
    """Events in numbers; at most ten seconds old."""

    events: int
    by_kind: dict[str, int]
    with_contact: int


class CallFilters(Part):
    """Which calls to list."""

    status: CallStatus | None = None


class CallItem(Row):
    """A phone call."""

    id: int
    sid: str
    caller: str
    called: str
    status: str
    seconds: int
    started_at: datetime


class CallPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[CallItem]
    next_before: int | None


class CallAnalytics(BaseModel):
    """Calls in numbers; at most ten seconds old."""

    calls: int
    by_status: dict[str, int]
    mean_seconds: float


class NewVerification(BaseModel):
    """A phone number to verify."""

    phone: Phone


class VerificationItem(BaseModel):
    """A verification that waits for its code, which only a test target tells."""

    id: int
    phone: str
    code: str | None


class Confirmation(BaseModel):
    """The code that was sent to the phone."""

    id: Number
    code: str = Field(pattern=r"^[0-9]{6}$")


class Confirmed(BaseModel):
    """Whether the number is verified now."""

    phone: str
    confirmed: bool


class CallNews(BaseModel):
    """What the phone provider tells of a call, in its own names."""

    model_config = ConfigDict(alias_generator=to_pascal)

    call_sid: str = Field(pattern=r"^CA[0-9a-f]{32}$")
    call_status: CallStatus
    caller: Phone = Field(alias="From")
    called: Phone = Field(alias="To")
    call_duration: int = Field(default=0, ge=0, le=86_400)


class Said(BaseModel):
    """One message of a conversation."""

    id: str = Field(max_length=64)
    text: str = Field(max_length=20_000)


class Media(BaseModel):
    """A frame of sound."""

    chunk: str = Field(default="", max_length=20)
    payload: Base64Bytes = Field(max_length=65_536)


class MediaMessage(BaseModel):
    """One message of the phone provider's media stream."""

    event: Literal["connected", "start", "media", "stop"]
    media: Media | None = None
