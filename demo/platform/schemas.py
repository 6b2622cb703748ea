"""What goes over the wire."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from demo.common.schemas import WHOLE, Number, Part, Row

Kind = Literal["text", "image", "audio"]
Prompt = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=2_000)]
TaskStatus = Literal["running", "done"]


class NewTask(BaseModel):
    """What to generate."""

    prompt: Prompt
    kind: Kind = "text"


class TaskFilters(Part):
    """Which of one's own tasks to list."""

    status: TaskStatus | None = None


class TaskItem(Row):
    """A task; its result is there once it is done."""

    id: int
    kind: str
    prompt: str
    status: str
    result: str
    created_at: datetime
    finished_at: datetime | None


class TaskPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[TaskItem]
    next_before: int | None


class NewPayment(BaseModel):
    """What to pay, in the smallest unit of the currency."""

    amount: Annotated[int, Field(ge=1, le=100_000_000), WHOLE]
    currency: Literal["EUR", "USD", "GBP"] = "EUR"
    description: str = Field(default="", pattern=r"^[^\x00]*$", max_length=200)
    subscription_id: Number | None = None


class PaymentItem(Row):
    """A payment that was made."""

    id: int
    amount: int
    currency: str
    description: str
    subscription_id: int | None
    created_at: datetime


class PaymentPage(BaseModel):
    """A part of a list, newest first; `next_before` asks for the next part."""

    items: list[PaymentItem]
    next_before: int | None


class SubscriptionItem(Row):
    """A plan that somebody pays for."""

    id: int
    plan: str
    status: str
    started_at: datetime
