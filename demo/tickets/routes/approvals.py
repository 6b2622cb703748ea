"""Approvals: what waits for a manager, and what was decided."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload
from sqlalchemy.orm.interfaces import ORMOption

from demo.common.deps import MANAGERS, Db, Id, Manager
from demo.common.models import User as Account
from demo.common.models import now
from demo.common.routing import Route
from demo.tickets.models import Approval, Ticket
from demo.tickets.schemas import ApprovalAction, ApprovalItem

router = APIRouter(prefix="/approvals", tags=["approvals"], route_class=Route)

Limit = Annotated[int, Query(ge=1, le=100)]
_STATUS = {"approve": "approved", "reject": "rejected", "reopen": "pending"}


def _everything() -> tuple[ORMOption, ORMOption]:
    return (
        joinedload(Approval.ticket, innerjoin=True).joinedload(Ticket.requester, innerjoin=True),
        joinedload(Approval.decided_by),
    )


@router.get("/pending", dependencies=[MANAGERS])
def pending(db: Db, limit: Limit = 25) -> list[ApprovalItem]:
    """What waits for a decision, oldest first."""
    query = select(Approval).where(Approval.status == "pending").order_by(Approval.id)
    return _items(db, query.limit(limit))


@router.get("/history", dependencies=[MANAGERS])
def history(db: Db, limit: Limit = 25) -> list[ApprovalItem]:
    """What was decided, latest first."""
    query = select(Approval).where(Approval.decided_at.is_not(None))
    return _items(db, query.order_by(Approval.decided_at.desc(), Approval.id.desc()).limit(limit))


def _items(db: Db, query: Select[Any]) -> list[ApprovalItem]:
    return [ApprovalItem.model_validate(approval) for approval in db.scalars(query.options(*_everything()))]


@router.post("/{id}/action")
def act(approval_id: Id, order: ApprovalAction, caller: Manager, db: Db) -> ApprovalItem:
    """Decide. A decision may be taken again, and then the last one holds."""
    approval = db.get(Approval, approval_id, options=_everything())
    if approval is None:
        raise HTTPException(404, f"there is no approval {approval_id}")
    approval.status = _STATUS[order.action]
    approval.note = order.note
    decided = order.action != "reopen"
    manager = db.get(Account, caller.id)
    approval.decided_by = manager if decided else None
    approval.decided_at = now() if decided else None
    db.commit()
    return ApprovalItem.model_validate(approval)
