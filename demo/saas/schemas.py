"""What goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from demo.common.schemas import WHOLE, Line, Row

Meter = Literal["requests", "compute_seconds", "storage_mb", "tokens"]


class PlanItem(Row):
    """Something to subscribe to; prices in cents a month."""

    id: int
    name: str
    monthly_cents: int
    included: int


class NewKey(BaseModel):
    """A name by which its owner knows a key."""

    name: Line


class KeyItem(Row):
    """A key without its secret part."""

    id: int
    name: str
    prefix: str
    created_at: datetime


class FreshKey(KeyItem):
    """A key that was just made: the only time that its secret is shown."""

    secret: str


class NewUsage(BaseModel):
    """So much of something was used."""

    meter: Meter
    quantity: Annotated[int, Field(ge=1, le=1_000_000), WHOLE]


class UsageItem(Row):
    """What was used, and when."""

    id: int
    meter: str
    quantity: int
    created_at: datetime


class UsagePage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[UsageItem]
    next_before: int | None


class UsageSummary(BaseModel):
    """The latest events, summed up by meter; at most ten seconds old."""

    window: int = Field(description="How many of the latest events are in it, at most")
    events: int
    totals: dict[str, int]
