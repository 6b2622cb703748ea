"""Plans: the same for everybody, and kept in the cache."""

from fastapi import APIRouter, HTTPException, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from demo.common.deps import SIGNED_IN, Deps, Id
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.saas.models import Plan
from demo.saas.schemas import PlanItem

router = APIRouter(prefix="/plans", tags=["plans"], dependencies=[SIGNED_IN], route_class=Route)

_SECONDS = 600


@router.get("", response_model=list[PlanItem])
async def list_plans(services: Deps) -> Response:
    """What there is to subscribe to, cheapest first."""

    def make(db: Session) -> list[PlanItem]:
        return [
            PlanItem.model_validate(plan) for plan in db.scalars(select(Plan).order_by(Plan.monthly_cents, Plan.id))
        ]

    return await kept_json(services, "plans", _SECONDS, make)


@router.get("/{id}", response_model=PlanItem)
async def read_plan(plan_id: Id, services: Deps) -> Response:
    """One plan."""

    def make(db: Session) -> PlanItem:
        plan = db.get(Plan, plan_id)
        if plan is None:
            raise HTTPException(404, f"there is no plan {plan_id}")
        return PlanItem.model_validate(plan)

    return await kept_json(services, f"plan:{plan_id}", _SECONDS, make)
