"""The first page: what is new, and how much of everything there is."""

from fastapi import APIRouter, Response
from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from demo.common.deps import SIGNED_IN, Deps
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.crm.models import Customer, Lead, Project
from demo.crm.schemas import Dashboard, LeadItem, Metrics, ProjectItem

router = APIRouter(prefix="/dashboard", tags=["dashboard"], dependencies=[SIGNED_IN], route_class=Route)

SECONDS = 30
_SHOWN = 10


@router.get("", response_model=Dashboard)
async def dashboard(services: Deps) -> Response:
    """The newest leads and the projects that are worked on."""
    return await kept_json(services, "crm:dashboard", SECONDS, _dashboard)


def _dashboard(db: Session) -> Dashboard:
    leads = db.scalars(select(Lead).order_by(Lead.id.desc()).limit(_SHOWN))
    active = select(Project).where(Project.status == "active").order_by(Project.id.desc())
    return Dashboard(
        newest_leads=[LeadItem.model_validate(lead) for lead in leads],
        active_projects=[ProjectItem.model_validate(project) for project in db.scalars(active.limit(_SHOWN))],
    )


@router.get("/metrics", response_model=Metrics)
async def metrics(services: Deps) -> Response:
    """Leads, customers and projects in numbers."""
    return await kept_json(services, "crm:metrics", SECONDS, _metrics)


def _metrics(db: Session) -> Metrics:
    value = select(func.sum(Project.value_cents)).where(Project.status != "finished")
    return Metrics(
        leads_by_status=_numbers(db, Lead.status),
        projects_by_status=_numbers(db, Project.status),
        customers=db.scalar(select(func.count(Customer.id))) or 0,
        open_value_cents=int(db.scalar(value) or 0),
    )


def _numbers(db: Session, column: InstrumentedAttribute[str]) -> dict[str, int]:
    return {row[0]: row[1] for row in db.execute(select(column, func.count()).group_by(column).order_by(column))}
