"""A platform API: generation tasks that take time, payments, subscriptions."""

from demo.common.system import System
from demo.platform.engine import resume
from demo.platform.routes import generation, payments
from demo.platform.seeding import COUNTS, rows

SYSTEM = System(
    name="platform",
    routers=(generation.router, payments.router),
    counts=COUNTS,
    rows=rows,
    background=resume,
    lost_index="generation_tasks_by_user",
)
