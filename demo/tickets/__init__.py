"""An enterprise ticket system: tickets, approvals, comments, attachments, reports."""

from demo.common.system import System
from demo.tickets.routes import approvals, attachments, comments, reports, tickets
from demo.tickets.seeding import COUNTS, rows

SYSTEM = System(
    name="tickets",
    routers=tuple(area.router for area in (tickets, approvals, comments, attachments, reports)),
    counts=COUNTS,
    rows=rows,
    lost_index="comments_by_ticket",
)
