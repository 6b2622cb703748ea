"""The customer relations of a roofing company: leads, customers, projects, dashboard, analytics."""

from demo.common.system import System
from demo.crm.routes import analytics, customers, dashboard, leads, projects
from demo.crm.seeding import COUNTS, rows

SYSTEM = System(
    name="crm",
    routers=tuple(area.router for area in (leads, customers, projects, dashboard, analytics)),
    counts=COUNTS,
    rows=rows,
    lost_index="projects_by_customer",
)
