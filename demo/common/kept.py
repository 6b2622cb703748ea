"""Answers that are expensive to make and may be a little old: made once, then found in the cache for a while."""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from pydantic_core import to_json
from sqlalchemy.orm import Session

from demo.common.services import Services

Make = Callable[[Session], object]

_being_made: WeakValueDictionary[tuple[int, str], asyncio.Lock] = WeakValueDictionary()


async def kept_json(services: Services, key: str, seconds: int, make: Make) -> Response:
    """
    The JSON of what *make* returns, at most *seconds* old.

    However many ask at once for what is not there, it is made once: the others wait for it, and hold nothing meanwhile.
    """
    text = await services.run_near(lambda: services.cache.get(key))
    services.metrics.count_lookup(hit=text is not None)
    if text is None:
        lock = _being_made.setdefault((id(services), key), asyncio.Lock())
        async with lock:
            text = await run_in_threadpool(_made, services, key, seconds, make)
    return Response(text, media_type="application/json")


def _made(services: Services, key: str, seconds: int, make: Make) -> str:
    found = services.cache.get(key)
    if found is not None:
        return found
    with services.database.session() as db:
        text = to_json(make(db)).decode()
    services.cache.set(key, text, seconds)
    return text
