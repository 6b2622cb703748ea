"""A software-as-a-service product: plans, API keys, metered usage."""

from demo.common.system import System
from demo.saas.routes import api_keys, plans, usage
from demo.saas.seeding import COUNTS, rows

SYSTEM = System(
    name="saas",
    routers=(plans.router, api_keys.router, usage.router),
    counts=COUNTS,
    rows=rows,
    lost_index="usage_events_by_user",
)
