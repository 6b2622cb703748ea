"""Chosen endpoints made slower on purpose, by an exact amount: for anyone who has to show that they can see it."""

import asyncio
import math
import re
import select
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.common.metrics import route_template

Endpoint = tuple[str, str]
"""A method and the template of a route."""

# The event loop counts in whole milliseconds and wakes late; the rest is waited for with open eyes.
_SPIN = 1e-3
_MILLISECONDS = re.compile(r"\+(\d+(?:\.\d+)?)ms")
_FACTOR = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True)
class Slowdown:
    """How much longer a request takes."""

    factor: float = 1.0
    added_seconds: float = 0.0

    def delay(self, elapsed: float) -> float:
        """The seconds to wait after `elapsed` seconds of work."""
        return (self.factor - 1) * elapsed + self.added_seconds


def parse_slowdowns(text: str, endpoints: Collection[Endpoint]) -> dict[Endpoint, Slowdown]:
    """Read `GET /tickets/=1.6;POST /tickets/=+5ms`; ValueError says which part is wrong."""
    slowdowns: dict[Endpoint, Slowdown] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, separator, amount = part.rpartition("=")
        method, _, path = name.strip().partition(" ")
        endpoint = (method.upper(), path.strip())
        if not separator or not path:
            raise ValueError(f"DEMO_SLOW: {part!r} is not METHOD /route=AMOUNT, such as GET /tickets/=1.6")
        if endpoint not in endpoints:
            known = ", ".join(sorted(f"{method} {path}" for method, path in endpoints))
            raise ValueError(f"DEMO_SLOW: no route {' '.join(endpoint)}; there are {known}")
        if endpoint in slowdowns:
            raise ValueError(f"DEMO_SLOW: {' '.join(endpoint)} is named twice")
        slowdowns[endpoint] = _parse_amount(amount.strip())
    return slowdowns


def _parse_amount(amount: str) -> Slowdown:
    if match := _MILLISECONDS.fullmatch(amount):
        return Slowdown(added_seconds=float(match[1]) / 1000)
    if _FACTOR.fullmatch(amount) and float(amount) >= 1:
        return Slowdown(factor=float(amount))
    raise ValueError(
        f"DEMO_SLOW: {amount!r} is neither a factor of at least 1, such as 1.6, nor added time, such as +5ms"
    )


class SlowdownMiddleware:
    """The outermost layer: holds back the first message of a response until the endpoint has been slow enough."""

    def __init__(self, app: ASGIApp, slowdowns: Mapping[Endpoint, Slowdown]) -> None:
        """Wraps `app` whole, so that a factor counts all the time that a request spends in it."""
        self._app = app
        self._slowdowns = slowdowns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; wait before its response if its endpoint is a slow one."""
        if scope["type"] != "http" or not self._slowdowns:
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        answering = False

        async def hold_back(message: Message) -> None:
            nonlocal answering
            if not answering:
                answering = True
                slowdown = self._slowdowns.get((scope["method"], route_template(scope) or ""))
                if slowdown is not None:
                    answered = time.perf_counter()
                    await _wait_until(answered + slowdown.delay(answered - started))
            await send(message)

        await self._app(scope, receive, hold_back)


async def _wait_until(deadline: float) -> None:
    """Return at `deadline` to within microseconds, without keeping others from the event loop for long."""
    asleep = math.floor((deadline - time.perf_counter() - _SPIN) * 1000) / 1000
    if asleep > 0:
        # A hair less than whole milliseconds: the loop rounds up to the next one.
        await asyncio.sleep(asleep - 5e-5)
    while time.perf_counter() < deadline:
        # Lets the worker threads have the interpreter and returns at once; time.sleep(0) would take 50 microseconds.
        select.select((), (), (), 0)
