"""Metered usage: written often, summed up now and then."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demo.common.deps import Db, Deps, User
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.common.schemas import Part
from demo.saas.models import UsageEvent
from demo.saas.schemas import NewUsage, UsageItem, UsagePage, UsageSummary

router = APIRouter(prefix="/usage", tags=["usage"], route_class=Route)

_SECONDS = 10
_WINDOW = 1000


@router.post("", status_code=201)
def record(order: NewUsage, caller: User, db: Db) -> UsageItem:
    """Note that something was used."""
    event = UsageEvent(user_id=caller.id, **order.model_dump())
    db.add(event)
    db.commit()
    return UsageItem.model_validate(event)


@router.get("")
def list_usage(caller: User, db: Db, part: Annotated[Part, Query()]) -> UsagePage:
    """What was used, newest first."""
    query = select(UsageEvent).where(UsageEvent.user_id == caller.id)
    if part.before is not None:
        query = query.where(UsageEvent.id < part.before)
    events = db.scalars(query.order_by(UsageEvent.id.desc()).limit(part.limit + 1)).all()
    items = [UsageItem.model_validate(event) for event in events[: part.limit]]
    return UsagePage(items=items, next_before=items[-1].id if len(events) > part.limit else None)


@router.get("/summary", response_model=UsageSummary)
async def summary(caller: User, services: Deps) -> Response:
    """The latest usage by meter."""

    def make(db: Session) -> UsageSummary:
        latest = select(UsageEvent.meter, UsageEvent.quantity).where(UsageEvent.user_id == caller.id)
        window = latest.order_by(UsageEvent.id.desc()).limit(_WINDOW).subquery()
        rows = db.execute(
            select(window.c.meter, func.count(), func.sum(window.c.quantity))
            .group_by(window.c.meter)
            .order_by(window.c.meter)
        ).all()
        totals = {meter: int(total) for meter, _, total in rows}
        return UsageSummary(window=_WINDOW, events=sum(count for _, count, _ in rows), totals=totals)

    return await kept_json(services, f"usage:{caller.id}", _SECONDS, make)
