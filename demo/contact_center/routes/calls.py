"""Phone calls and their analytics."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demo.common.deps import RATE_LIMITED, Db, Deps, Id
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.contact_center.models import Call
from demo.contact_center.schemas import CallAnalytics, CallFilters, CallItem, CallPage

router = APIRouter(prefix="/telephony", tags=["telephony"], dependencies=[RATE_LIMITED], route_class=Route)

_SECONDS = 10


@router.get("/calls")
def list_calls(db: Db, wanted: Annotated[CallFilters, Query()]) -> CallPage:
    """Calls, newest first."""
    query = select(Call)
    if wanted.status is not None:
        query = query.where(Call.status == wanted.status)
    if wanted.before is not None:
        query = query.where(Call.id < wanted.before)
    calls = db.scalars(query.order_by(Call.id.desc()).limit(wanted.limit + 1)).all()
    items = [CallItem.model_validate(call) for call in calls[: wanted.limit]]
    return CallPage(items=items, next_before=items[-1].id if len(calls) > wanted.limit else None)


@router.get("/calls/{id}")
def read_call(call_id: Id, db: Db) -> CallItem:
    """One call."""
    call = db.get(Call, call_id)
    if call is None:
        raise HTTPException(404, f"there is no call {call_id}")
    return CallItem.model_validate(call)


@router.get("/analytics", response_model=CallAnalytics)
async def analytics(services: Deps) -> Response:
    """Calls in numbers."""

    def make(db: Session) -> CallAnalytics:
        rows = db.execute(
            select(Call.status, func.count(), func.sum(Call.seconds)).group_by(Call.status).order_by(Call.status)
        ).all()
        calls = sum(count for _, count, _ in rows)
        seconds = sum(int(total) for _, _, total in rows)
        by_status = {status: count for status, count, _ in rows}
        return CallAnalytics(calls=calls, by_status=by_status, mean_seconds=seconds / calls if calls else 0.0)

    return await kept_json(services, "cc:calls", _SECONDS, make)
