"""The application of this repository: each system is one line."""

from starlette.types import ASGIApp

from demo import contact_center, crm, platform, saas, tickets
from demo.common.app import build_app
from demo.common.settings import Settings

SYSTEMS = (
    tickets.SYSTEM,
    platform.SYSTEM,
    saas.SYSTEM,
    crm.SYSTEM,
    contact_center.SYSTEM,
)


def create_app(settings: Settings) -> ASGIApp:
    """The whole service; ValueError if a setting makes no sense."""
    return build_app(settings, SYSTEMS)
