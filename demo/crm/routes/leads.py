"""Leads: list, create, read, change, delete."""

from typing import Annotated

from fastapi import APIRouter, Query

from demo.common.deps import SIGNED_IN, Db, Id
from demo.common.routing import Route
from demo.crm.models import Lead
from demo.crm.schemas import LeadChanges, LeadFilters, LeadItem, LeadPage, NewLead
from demo.crm.store import change, find, page

router = APIRouter(prefix="/leads", tags=["leads"], dependencies=[SIGNED_IN], route_class=Route)


@router.get("")
def list_leads(db: Db, wanted: Annotated[LeadFilters, Query()]) -> LeadPage:
    """Leads with all these properties, newest first."""
    shown, before = page(db, Lead, wanted, [(Lead.status, wanted.status), (Lead.source, wanted.source)])
    return LeadPage(items=[LeadItem.model_validate(lead) for lead in shown], next_before=before)


@router.post("", status_code=201)
def create_lead(order: NewLead, db: Db) -> LeadItem:
    """A new lead."""
    lead = Lead(**order.model_dump())
    db.add(lead)
    db.commit()
    return LeadItem.model_validate(lead)


@router.get("/{id}")
def read_lead(lead_id: Id, db: Db) -> LeadItem:
    """One lead."""
    return LeadItem.model_validate(find(db, Lead, lead_id))


@router.patch("/{id}")
def change_lead(lead_id: Id, changes: LeadChanges, db: Db) -> LeadItem:
    """Change a lead; what is left out stays."""
    lead = find(db, Lead, lead_id)
    change(lead, changes)
    db.commit()
    return LeadItem.model_validate(lead)


@router.delete("/{id}", status_code=204)
def delete_lead(lead_id: Id, db: Db) -> None:
    """Delete a lead."""
    db.delete(find(db, Lead, lead_id))
    db.commit()
