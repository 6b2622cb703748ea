"""Reports. Each is about a fixed number of the latest tickets, so that it costs the same however many there are."""

from collections import defaultdict
from statistics import quantiles

from fastapi import APIRouter
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from demo.common.deps import ADMINS, MANAGERS, Db, Deps, User
from demo.common.faults import Fault
from demo.common.routing import Route
from demo.tickets.models import PRIORITIES, Approval, Ticket
from demo.tickets.routes.tickets import people
from demo.tickets.schemas import Dashboard, SlaRow, TicketItem, VolumeRow

router = APIRouter(prefix="/reports", tags=["reports"], route_class=Route)

DASHBOARD_WINDOW = 500
SLA_WINDOW = 400
VOLUME_WINDOW = 1000
_MOST_PENDING = 100
QUESTIONS = 20  # that a chatty service asks one by one


@router.get("/dashboard")
def dashboard(caller: User, db: Db, services: Deps) -> Dashboard:
    """The numbers that everybody starts the day with."""
    if Fault.CHATTY_UPSTREAM in services.faults:
        for number in range(QUESTIONS):
            services.cache.get(f"setting:{number}")
    latest = db.scalars(select(Ticket).options(*people()).order_by(Ticket.id.desc()).limit(10))
    pending = select(Approval.id).where(Approval.status == "pending").limit(_MOST_PENDING).subquery()
    recent = select(Ticket.requester_id).order_by(Ticket.id.desc()).limit(DASHBOARD_WINDOW).subquery()
    mine = select(func.count()).select_from(recent).where(recent.c.requester_id == caller.id)
    return Dashboard(
        window=DASHBOARD_WINDOW,
        by_status=_numbers(db, Ticket.status),
        by_priority=_numbers(db, Ticket.priority),
        mine=db.scalar(mine) or 0,
        pending_approvals=db.scalar(select(func.count()).select_from(pending)) or 0,
        latest=[TicketItem.model_validate(ticket) for ticket in latest],
    )


def _numbers(db: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    recent = select(column.label("value")).order_by(Ticket.id.desc()).limit(DASHBOARD_WINDOW).subquery()
    counted = select(recent.c.value, func.count()).group_by(recent.c.value).order_by(recent.c.value)
    return {row[0]: row[1] for row in db.execute(counted)}


@router.get("/sla", dependencies=[MANAGERS])
def sla(db: Db) -> list[SlaRow]:
    """How quickly the tickets that were resolved last were resolved, by priority; for managers and admins."""
    columns = (Ticket.priority, Ticket.created_at, Ticket.due_at, Ticket.resolved_at)
    query = select(*columns).where(Ticket.resolved_at.is_not(None)).order_by(Ticket.resolved_at.desc())
    hours: dict[str, list[float]] = defaultdict(list)
    in_time: dict[str, int] = defaultdict(int)
    for priority, created, due, resolved in db.execute(query.limit(SLA_WINDOW)):
        if resolved is not None:
            hours[priority].append((resolved - created).total_seconds() / 3600)
            in_time[priority] += resolved <= due
    return [_sla_row(priority, sorted(hours[priority]), in_time[priority]) for priority in PRIORITIES]


def _sla_row(priority: str, hours: list[float], in_time: int) -> SlaRow:
    cuts = quantiles(hours, n=10) if len(hours) > 1 else (hours or [0.0]) * 9
    return SlaRow(
        priority=priority,
        resolved=len(hours),
        in_time=in_time,
        median_hours=round(cuts[4], 2),
        p90_hours=round(cuts[8], 2),
    )


@router.get("/volume", dependencies=[ADMINS])
def volume(db: Db) -> list[VolumeRow]:
    """Where the latest tickets came from; for admins."""
    columns = (Ticket.category, Ticket.department, Ticket.comment_count)
    recent = select(*columns).order_by(Ticket.id.desc()).limit(VOLUME_WINDOW).subquery()
    kind = (recent.c.category, recent.c.department)
    query = select(*kind, func.count(), func.sum(recent.c.comment_count)).group_by(*kind).order_by(*kind)
    return [
        VolumeRow(category=category, department=department, tickets=tickets, comments=comments)
        for category, department, tickets, comments in db.execute(query)
    ]
