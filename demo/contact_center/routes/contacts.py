"""Contacts: everybody sees all of them, and changes those that are their own."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from demo.common.deps import RATE_LIMITED, Caller, Db, Deps, Id, User
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.common.schemas import Part
from demo.contact_center.models import Contact, Interaction
from demo.contact_center.notify import notify
from demo.contact_center.schemas import (
    ContactChanges,
    ContactDetail,
    ContactFilters,
    ContactItem,
    ContactPage,
    ContactSearch,
    ContactStats,
    InteractionItem,
    NewContact,
    NewInteraction,
)

router = APIRouter(prefix="/contacts", tags=["contacts"], dependencies=[RATE_LIMITED], route_class=Route)

_SECONDS = 10
_LATEST = 5


def find_contact(db: Session, contact_id: int) -> Contact:
    """The contact, or 404."""
    contact = db.get(Contact, contact_id)
    if contact is None:
        raise HTTPException(404, f"there is no contact {contact_id}")
    return contact


def _own(db: Session, contact_id: int, caller: Caller) -> Contact:
    contact = find_contact(db, contact_id)
    if contact.owner_id != caller.id and not caller.is_staff:
        raise HTTPException(403, "only for who made the contact, managers and admins")
    return contact


@router.get("")
def list_contacts(db: Db, wanted: Annotated[ContactFilters, Query()]) -> ContactPage:
    """Contacts, newest first."""
    query = select(Contact)
    if wanted.kind is not None:
        query = query.where(Contact.kind == wanted.kind)
    return _page(db, query, wanted)


@router.get("/search")
def search_contacts(db: Db, wanted: Annotated[ContactSearch, Query()]) -> ContactPage:
    """Contacts whose name begins like that, newest first."""
    start = wanted.q.lower()
    # A range instead of LIKE: an index serves it in every database and locale, and no character is special.
    return _page(db, select(Contact).where(Contact.search_name.between(start, start + "\U0010fffd")), wanted)


def _page(db: Session, query: Select[Any], part: Part) -> ContactPage:
    if part.before is not None:
        query = query.where(Contact.id < part.before)
    found: Sequence[Contact] = db.scalars(query.order_by(Contact.id.desc()).limit(part.limit + 1)).all()
    items = [ContactItem.model_validate(contact) for contact in found[: part.limit]]
    return ContactPage(items=items, next_before=items[-1].id if len(found) > part.limit else None)


@router.get("/stats", response_model=ContactStats)
async def contact_stats(services: Deps) -> Response:
    """Contacts in numbers."""

    def make(db: Session) -> ContactStats:
        kinds = db.execute(select(Contact.kind, func.count()).group_by(Contact.kind).order_by(Contact.kind))
        by_kind = {row[0]: row[1] for row in kinds}
        interactions = db.scalar(select(func.count(Interaction.id))) or 0
        return ContactStats(contacts=sum(by_kind.values()), by_kind=by_kind, interactions=interactions)

    return await kept_json(services, "cc:contacts", _SECONDS, make)


@router.post("", status_code=201)
def create_contact(order: NewContact, caller: User, db: Db) -> ContactItem:
    """A new contact of one's own."""
    contact = Contact(owner_id=caller.id, search_name=order.name.lower()[:80], **order.model_dump())
    db.add(contact)
    db.commit()
    return ContactItem.model_validate(contact)


@router.get("/{id:int}")
def read_contact(contact_id: Id, db: Db) -> ContactDetail:
    """One contact, with what was said last."""
    contact = find_contact(db, contact_id)
    said = select(Interaction).where(Interaction.contact_id == contact_id).order_by(Interaction.id.desc())
    interactions = [InteractionItem.model_validate(each) for each in db.scalars(said.limit(_LATEST))]
    return ContactDetail(**dict(ContactItem.model_validate(contact)), interactions=interactions)


@router.patch("/{id:int}")
def change_contact(contact_id: Id, changes: ContactChanges, caller: User, db: Db) -> ContactItem:
    """Change a contact of one's own; what is left out stays."""
    contact = _own(db, contact_id, caller)
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(contact, name, value)
    contact.search_name = contact.name.lower()[:80]
    db.commit()
    return ContactItem.model_validate(contact)


@router.delete("/{id:int}", status_code=204)
def delete_contact(contact_id: Id, caller: User, db: Db) -> None:
    """Delete a contact of one's own, with all that was said."""
    db.delete(_own(db, contact_id, caller))
    db.commit()


@router.post("/{id:int}/interactions", status_code=201)
def log_interaction(contact_id: Id, order: NewInteraction, caller: User, services: Deps, db: Db) -> InteractionItem:
    """Note what was said; who listens to notifications hears of it."""
    find_contact(db, contact_id)
    interaction = Interaction(contact_id=contact_id, author_id=caller.id, **order.model_dump())
    db.add(interaction)
    db.commit()
    notify(services, caller.id, "interaction", interaction.id)
    return InteractionItem.model_validate(interaction)
