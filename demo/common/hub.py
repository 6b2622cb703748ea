"""Messages from requests to the WebSockets of the same process."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

_MOST_UNREAD = 1000


class Hub:
    """Passes each message on to all who listen to its topic."""

    def __init__(self) -> None:
        """Nobody listens yet."""
        self._listeners: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def listen(self, topic: str) -> Iterator[asyncio.Queue[str]]:
        """What is published from now on; a listener that reads nothing misses messages, and holds up nobody."""
        self._loop = asyncio.get_running_loop()
        queue: asyncio.Queue[str] = asyncio.Queue(_MOST_UNREAD)
        self._listeners[topic].add(queue)
        try:
            yield queue
        finally:
            self._listeners[topic].discard(queue)
            if not self._listeners[topic]:
                del self._listeners[topic]

    def publish(self, topic: str, message: str) -> None:
        """Tell everybody who listens; callable from any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._deliver, topic, message)

    def _deliver(self, topic: str, message: str) -> None:
        for queue in self._listeners.get(topic, ()):
            if not queue.full():
                queue.put_nowait(message)
