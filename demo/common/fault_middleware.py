"""The faults that are about whole requests, whichever system they are for."""

import asyncio
import os
import random
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.common.admission import ALWAYS
from demo.common.faults import Fault

HANG_SECONDS = 60.0
TIRED_SECONDS = 0.2


def _die() -> None:
    os._exit(70)


class FaultsMiddleware:
    """Has no effect on `/health` and its like: what is watched there is whether the process lives."""

    def __init__(
        self,
        app: ASGIApp,
        faults: Mapping[str, float],
        die: Callable[[], None] = _die,
        connect: Callable[[], object] = object,
    ) -> None:
        """Wraps `app`; *die* ends the process, *connect* takes a connection to the database."""
        self._app = app
        self._faults = faults
        self._die = die
        self._connect = connect
        self._lock: AbstractAsyncContextManager[None] = asyncio.Lock() if Fault.LOCK in faults else nullcontext()
        self._random = random.Random(1)  # noqa: S311  # the same requests fail every time
        self._requests = 0
        self._inside = 0
        self._tired = False
        self._kept: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or do to it what is wrong."""
        if scope["type"] != "http" or scope["path"] in ALWAYS:
            await self._app(scope, receive, send)
            return
        self._inside += 1
        try:
            await self._suffer()
            if self._random.random() < self._faults.get(Fault.ERRORS, 0):
                await JSONResponse({"detail": "fault on demand"}, 500)(scope, receive, send)
            else:
                async with self._lock:
                    await self._app(scope, receive, send)
        finally:
            self._inside -= 1

    async def _suffer(self) -> None:
        """What befalls the request before it is worked on."""
        faults = self._faults
        self._requests += 1
        if Fault.CRASH in faults and self._requests > faults[Fault.CRASH]:
            self._die()
        if Fault.LEAK in faults:
            self._kept.append(os.urandom(16) * int(faults[Fault.LEAK] * 64))
        if (every := int(faults.get(Fault.LOST_CONNECTIONS, 0))) and self._requests % every == 0:
            self._kept.append(await run_in_threadpool(self._connect))
        if Fault.NO_RECOVERY in faults and self._inside > faults[Fault.NO_RECOVERY]:
            self._tired = True
        seconds = self._requests * faults.get(Fault.CREEP, 0) / 1e6
        seconds += TIRED_SECONDS if self._tired else 0
        seconds += HANG_SECONDS if self._random.random() < faults.get(Fault.HANG, 0) else 0
        if seconds:
            await asyncio.sleep(seconds)
