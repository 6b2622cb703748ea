"""What leads, customers and projects have in common: found or 404, changed, listed in parts."""

from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi import HTTPException
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from demo.common.schemas import Part
from demo.crm.models import Customer, Lead, Project

Thing = TypeVar("Thing", Lead, Customer, Project)


def find(db: Session, kind: type[Thing], number: int) -> Thing:
    """The row, or 404."""
    found = db.get(kind, number)
    if found is None:
        raise HTTPException(404, f"there is no {kind.__name__.lower()} {number}")
    return found


def change(found: Lead | Customer | Project, changes: BaseModel) -> None:
    """Set the fields that were given."""
    for name, value in changes.model_dump(exclude_unset=True).items():
        setattr(found, name, value)


def page(
    db: Session, kind: type[Thing], part: Part, filters: Sequence[tuple[InstrumentedAttribute[Any], object]]
) -> tuple[Sequence[Thing], int | None]:
    """The rows with all these values, newest first, and the number to ask for the next ones with."""
    query = select(kind).order_by(kind.id.desc())
    for column, value in filters:
        if value is not None:
            query = query.where(column == value)
    if part.before is not None:
        query = query.where(kind.id < part.before)
    found = db.scalars(query.limit(part.limit + 1)).all()
    shown = found[: part.limit]
    return shown, shown[-1].id if len(found) > part.limit else None
