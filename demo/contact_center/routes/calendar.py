"""Calendar events, alone or with a contact."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from demo.common.deps import RATE_LIMITED, Caller, Db, Deps, Id, User
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.contact_center.models import Event
from demo.contact_center.notify import notify
from demo.contact_center.routes.contacts import find_contact
from demo.contact_center.schemas import EventChanges, EventFilters, EventItem, EventStats, NewEvent

router = APIRouter(prefix="/calendar", tags=["calendar"], dependencies=[RATE_LIMITED], route_class=Route)

_SECONDS = 10


def _own(db: Session, event_id: int, caller: Caller) -> Event:
    event = _find(db, event_id)
    if event.owner_id != caller.id and not caller.is_staff:
        raise HTTPException(403, "only for who made the event, managers and admins")
    return event


def _find(db: Session, event_id: int) -> Event:
    event = db.get(Event, event_id)
    if event is None:
        raise HTTPException(404, f"there is no event {event_id}")
    return event


@router.get("/events")
def list_events(db: Db, wanted: Annotated[EventFilters, Query()]) -> list[EventItem]:
    """Events by their beginning, earliest first; with `from` and `to`, those that begin between them."""
    query = select(Event)
    if wanted.start is not None:
        query = query.where(Event.starts_at >= wanted.start)
    if wanted.end is not None:
        query = query.where(Event.starts_at < wanted.end)
    if wanted.contact_id is not None:
        query = query.where(Event.contact_id == wanted.contact_id)
    events = db.scalars(query.order_by(Event.starts_at, Event.id).limit(wanted.limit))
    return [EventItem.model_validate(event) for event in events]


@router.post("/events", status_code=201)
def create_event(order: NewEvent, caller: User, services: Deps, db: Db) -> EventItem:
    """A new event of one's own; who listens to notifications hears of it."""
    if order.contact_id is not None:
        find_contact(db, order.contact_id)
    ends_at = order.starts_at + timedelta(minutes=order.minutes)
    event = Event(owner_id=caller.id, ends_at=ends_at, **order.model_dump(exclude={"minutes"}))
    db.add(event)
    db.commit()
    notify(services, caller.id, "event", event.id)
    return EventItem.model_validate(event)


@router.get("/stats", response_model=EventStats)
async def event_stats(services: Deps) -> Response:
    """Events in numbers."""

    def make(db: Session) -> EventStats:
        rows = db.execute(
            select(Event.kind, func.count(), func.count(Event.contact_id)).group_by(Event.kind).order_by(Event.kind)
        ).all()
        by_kind = {kind: count for kind, count, _ in rows}
        linked = sum(count for _, _, count in rows)
        return EventStats(events=sum(by_kind.values()), by_kind=by_kind, with_contact=linked)

    return await kept_json(services, "cc:events", _SECONDS, make)


@router.get("/events/{id}")
def read_event(event_id: Id, db: Db) -> EventItem:
    """One event."""
    return EventItem.model_validate(_find(db, event_id))


@router.patch("/events/{id}")
def change_event(event_id: Id, changes: EventChanges, caller: User, db: Db) -> EventItem:
    """Change an event of one's own; what is left out stays."""
    event = _own(db, event_id, caller)
    wanted = changes.model_dump(exclude_unset=True)
    lasts = timedelta(minutes=wanted.pop("minutes")) if "minutes" in wanted else event.ends_at - event.starts_at
    for name, value in wanted.items():
        setattr(event, name, value)
    event.ends_at = event.starts_at + lasts
    db.commit()
    return EventItem.model_validate(event)


@router.delete("/events/{id}", status_code=204)
def delete_event(event_id: Id, caller: User, db: Db) -> None:
    """Delete an event of one's own."""
    db.delete(_own(db, event_id, caller))
    db.commit()
