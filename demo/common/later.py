"""Work that is due in a while, done in a worker thread beside the requests."""

import asyncio
from collections.abc import Callable

from fastapi.concurrency import run_in_threadpool


class Later:
    """Takes work from any thread; what is not due yet when the service ends is dropped."""

    def __init__(self) -> None:
        """Does nothing until it is started."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Use the event loop that runs."""
        self._loop = asyncio.get_running_loop()

    async def stop(self) -> None:
        """Drop what waits, and let go on what has begun."""
        self._loop = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def after(self, seconds: float, work: Callable[[], None]) -> None:
        """Do *work* in so many seconds."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._begin, seconds, work)

    def _begin(self, seconds: float, work: Callable[[], None]) -> None:
        task = asyncio.ensure_future(self._wait_and_do(seconds, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _wait_and_do(self, seconds: float, work: Callable[[], None]) -> None:
        await asyncio.sleep(seconds)
        await run_in_threadpool(work)
