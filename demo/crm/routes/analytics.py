"""Analytics: expensive reads over everything there is, kept for half a minute."""

from collections import defaultdict

from fastapi import APIRouter, Response
from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from demo.common.deps import SIGNED_IN, Deps
from demo.common.kept import kept_json
from demo.common.routing import Route
from demo.crm.models import LEAD_STATUSES, Lead, Project
from demo.crm.schemas import ConversionRow, FunnelRow, RevenueRow

router = APIRouter(prefix="/analytics", tags=["analytics"], dependencies=[SIGNED_IN], route_class=Route)

SECONDS = 30
_LOST = "lost"


@router.get("/revenue", response_model=list[RevenueRow])
async def revenue(services: Deps) -> Response:
    """What finished projects brought, month by month, latest first."""
    return await kept_json(services, "crm:revenue", SECONDS, _revenue)


def _revenue(db: Session) -> list[RevenueRow]:
    months: dict[str, list[int]] = defaultdict(list)
    finished = select(Project.finished_at, Project.value_cents).where(Project.finished_at.is_not(None))
    for moment, value in db.execute(finished):
        if moment is not None:
            months[f"{moment:%Y-%m}"].append(value)
    return [
        RevenueRow(month=month, projects=len(values), value_cents=sum(values))
        for month, values in sorted(months.items(), reverse=True)
    ]


@router.get("/funnel", response_model=list[FunnelRow])
async def funnel(services: Deps) -> Response:
    """How far leads get; those that were lost count for the first stage alone."""
    return await kept_json(services, "crm:funnel", SECONDS, _funnel)


def _funnel(db: Session) -> list[FunnelRow]:
    rows_by_status = db.execute(select(Lead.status, func.count()).group_by(Lead.status))
    counts: dict[str, int] = {row[0]: row[1] for row in rows_by_status}
    every = sum(counts.values())
    stages = [status for status in LEAD_STATUSES if status != _LOST]
    rows = []
    for position, stage in enumerate(stages):
        leads = every if position == 0 else sum(counts.get(later, 0) for later in stages[position:])
        rows.append(FunnelRow(stage=stage, leads=leads, share=leads / every if every else 0.0))
    return rows


@router.get("/conversion", response_model=list[ConversionRow])
async def conversion(services: Deps) -> Response:
    """Which sources bring leads that are won."""
    return await kept_json(services, "crm:conversion", SECONDS, _conversion)


def _conversion(db: Session) -> list[ConversionRow]:
    won = func.sum(case((Lead.status == "won", 1), else_=0))
    rows = db.execute(select(Lead.source, func.count(), won).group_by(Lead.source).order_by(Lead.source)).all()
    return [
        ConversionRow(source=source, leads=leads, won=int(winners), rate=int(winners) / leads)
        for source, leads, winners in rows
    ]
