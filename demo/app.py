"""The application of this repository: each system is one line."""

from starlette.types import ASGIApp

from demo import tickets
from demo.common.app import build_app
from demo.common.settings import Settings

SYSTEMS = (tickets.SYSTEM,)


def create_app(settings: Settings) -> ASGIApp:
    """The whole service; ValueError if a setting makes no sense."""
    return build_app(settings, SYSTEMS)
