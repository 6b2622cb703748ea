"""Tickets: list, search, create, read, change."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from demo.common.deps import SIGNED_IN, Caller, Db, Deps, Id, User
from demo.common.faults import Fault
from demo.common.models import User as Account
from demo.common.models import now
from demo.common.routing import Route
from demo.common.schemas import Part
from demo.tickets.directory import DIRECTORY
from demo.tickets.models import DUE_HOURS, Approval, Attachment, Comment, Ticket, TicketEvent, TicketWord
from demo.tickets.schemas import (
    AttachmentItem,
    CommentItem,
    EventItem,
    NewTicket,
    Search,
    TicketChanges,
    TicketDetail,
    TicketFilters,
    TicketItem,
    TicketPage,
)
from demo.tickets.search import tickets_with, words_of

router = APIRouter(prefix="/tickets", tags=["tickets"], dependencies=[DIRECTORY], route_class=Route)

_LATEST = 5

_Belonging = type[Comment] | type[Attachment] | type[TicketEvent]


def people() -> tuple[ORMOption, ORMOption]:
    """Load the people of a ticket in the same statement."""
    return joinedload(Ticket.requester), joinedload(Ticket.assignee)


def find_ticket(db: Session, ticket_id: int) -> Ticket:
    """The ticket, or 404."""
    ticket = db.get(Ticket, ticket_id, options=people())
    if ticket is None:
        raise HTTPException(404, f"there is no ticket {ticket_id}")
    return ticket


@router.get("/", response_model=TicketPage)
def list_tickets(
    caller: User, db: Db, services: Deps, wanted: Annotated[TicketFilters, Query()]
) -> TicketPage | Response:
    """Tickets with all these properties, newest first.

    Pages are asked for by the last number seen, not counted off: the hundredth costs what the first does.
    """
    query = _filtered(select(Ticket).order_by(Ticket.id.desc()), wanted, caller)
    page = _page(db, query, wanted, together=people()[1:] if Fault.N_PLUS_ONE in services.faults else people())
    return _twice_as_long(page) if Fault.DOUBLE_PAYLOAD in services.faults else page


def _filtered(query: Select[Any], wanted: TicketFilters, caller: Caller) -> Select[Any]:
    columns = ((Ticket.status, wanted.status), (Ticket.priority, wanted.priority), (Ticket.category, wanted.category))
    for column, value in columns:
        if value is not None:
            query = query.where(column == value)
    return query.where(Ticket.requester_id == caller.id) if wanted.mine else query


def _twice_as_long(page: TicketPage) -> Response:
    """The same JSON: the rest is blanks."""
    content = page.model_dump_json()
    return Response(content.ljust(2 * len(content)), media_type="application/json")


@router.get("/search")
def search_tickets(caller: User, db: Db, wanted: Annotated[Search, Query()]) -> TicketPage:
    """Tickets with all these words in their title and all these properties, newest first."""
    query = _filtered(tickets_with(words_of(wanted.q)[:8]), wanted, caller)
    return _page(db, query, wanted, together=people())


def _page(db: Session, query: Select[Any], part: Part, *, together: Sequence[ORMOption]) -> TicketPage:
    if part.before is not None:
        query = query.where(Ticket.id < part.before)
    tickets = db.scalars(query.options(*together).limit(part.limit + 1)).all()
    items = [TicketItem.model_validate(ticket) for ticket in tickets[: part.limit]]
    return TicketPage(items=items, next_before=items[-1].id if len(tickets) > part.limit else None)


@router.post("/", status_code=201)
def create_ticket(order: NewTicket, caller: User, db: Db) -> TicketItem:
    """Ask for something; if it costs money, a manager is asked as well."""
    created = now()
    ticket = Ticket(
        **order.model_dump(exclude={"amount"}),
        department=caller.profile.department,
        requester_id=caller.id,
        created_at=created,
        updated_at=created,
        due_at=created + timedelta(hours=DUE_HOURS[order.priority]),
    )
    db.add(ticket)
    db.flush()
    _index(db, ticket)
    if order.amount is not None:
        db.add(Approval(ticket_id=ticket.id, amount=order.amount, reason=ticket.title))
    db.commit()
    return TicketItem.model_validate(find_ticket(db, ticket.id))


def _index(db: Session, ticket: Ticket) -> None:
    words = words_of(ticket.title)
    if words:
        db.execute(insert(TicketWord), [{"word": word, "ticket_id": ticket.id} for word in words])


@router.get("/{id:int}", dependencies=[SIGNED_IN])
def read_ticket(ticket_id: Id, db: Db, services: Deps) -> TicketDetail:
    """One ticket, with the latest of its comments, files and changes."""
    ticket = find_ticket(db, ticket_id)
    if Fault.EXTRA_QUERY in services.faults:
        db.scalar(select(func.count()).select_from(Comment).where(Comment.ticket_id == ticket_id))
    comments = db.scalars(_latest(select(Comment).options(joinedload(Comment.author)), ticket_id, Comment))
    attachments = db.scalars(_latest(select(Attachment), ticket_id, Attachment))
    events = db.scalars(_latest(select(TicketEvent).options(joinedload(TicketEvent.actor)), ticket_id, TicketEvent))
    item = TicketItem.model_validate(ticket)
    return TicketDetail(
        **dict(item),
        description=ticket.description,
        resolved_at=ticket.resolved_at,
        comments=[CommentItem.model_validate(comment) for comment in comments],
        attachments=[AttachmentItem.model_validate(attachment) for attachment in attachments],
        history=[EventItem.model_validate(happened) for happened in events],
    )


def _latest(query: Select[Any], ticket_id: int, belonging: _Belonging) -> Select[Any]:
    return query.where(belonging.ticket_id == ticket_id).order_by(belonging.id.desc()).limit(_LATEST)


@router.patch("/{id:int}")
def change_ticket(ticket_id: Id, changes: TicketChanges, caller: User, db: Db) -> TicketItem:
    """Change a ticket: one's own, or any for managers and admins."""
    ticket = find_ticket(db, ticket_id)
    if ticket.requester_id != caller.id and not caller.is_staff:
        raise HTTPException(403, "only for the person who asked, managers and admins")
    wanted = changes.model_dump(exclude_unset=True)
    _check(db, wanted)
    changed = [name for name, value in wanted.items() if getattr(ticket, name) != value]
    if changed:
        _apply(db, ticket, {name: wanted[name] for name in changed}, caller)
        db.commit()
    return TicketItem.model_validate(ticket)


def _check(db: Session, wanted: dict[str, object]) -> None:
    assignee = wanted.get("assignee_id")
    if assignee is not None and db.get(Account, assignee) is None:
        raise HTTPException(409, f"there is no user {assignee}")


def _apply(db: Session, ticket: Ticket, changes: dict[str, object], caller: Caller) -> None:
    for name, value in changes.items():
        setattr(ticket, name, value)
    ticket.updated_at = now()
    if "priority" in changes:
        ticket.due_at = ticket.created_at + timedelta(hours=DUE_HOURS[ticket.priority])
    if "status" in changes:
        ticket.resolved_at = ticket.updated_at if ticket.status in {"resolved", "closed"} else None
    if "title" in changes:
        db.execute(delete(TicketWord).where(TicketWord.ticket_id == ticket.id))
        _index(db, ticket)
    db.add(TicketEvent(ticket_id=ticket.id, actor_id=caller.id, changed=", ".join(sorted(changes))))
    db.flush()
    if "assignee_id" in changes:
        db.expire(ticket, ["assignee"])
