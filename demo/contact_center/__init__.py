"""A contact centre: contacts, calendar, telephony, and WebSockets for conversations, voice, media and notifications."""

from demo.common.system import System
from demo.contact_center.routes import calendar, calls, contacts, streams, verification, webhooks
from demo.contact_center.seeding import COUNTS, rows

SYSTEM = System(
    name="contact_center",
    routers=tuple(area.router for area in (contacts, calendar, calls, verification, webhooks, streams)),
    counts=COUNTS,
    rows=rows,
    lost_index="interactions_by_contact",
)
