"""As many requests at once as can be worked on; a bounded queue before that; a quick 503 for the rest."""

import asyncio

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ALWAYS = frozenset({"/health", "/ready", "/metrics"})
"""What must answer however busy the service is."""


class AdmissionMiddleware:
    """Lets *at_once* requests in and *waiting* more stand before the door, where they hold nothing."""

    def __init__(self, app: ASGIApp, at_once: int, waiting: int) -> None:
        """Wraps `app`."""
        self._app = app
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = waiting
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as soon as there is a place, or refuse it at once if too many wait for one."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
        elif self._places.locked() and self._waiting >= self._most_waiting:
            refusal = JSONResponse({"detail": "too many requests at once"}, 503, {"Retry-After": "1"})
            await refusal(scope, receive, send)
        else:
            await self._enter()
            try:
                await self._app(scope, receive, send)
            finally:
                self._places.release()

    async def _enter(self) -> None:
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1
