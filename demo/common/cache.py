"""The cache: a bounded dictionary in the process, or Redis. What is in it can always be found again in the database."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

_PREFIX = "demo:"
_LARGEST = 20_000


class Cache(Protocol):
    """Text by key, with an end."""

    def get(self, key: str) -> str | None:
        """The text stored under `key`, if it is still there."""

    def set(self, key: str, value: str, seconds: int) -> None:
        """Store `value` for so many seconds."""

    def delete(self, key: str) -> None:
        """Forget one key."""

    def clear(self) -> None:
        """Forget everything."""

    def ping(self) -> None:
        """Raise if the cache does not answer."""

    def close(self) -> None:
        """Let go of connections."""


class LocalCache:
    """Least recently used goes first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._clock = clock
        self._entries: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """The text stored under `key`, if it is still there."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            value, end = entry
            if self._clock() >= end:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
            return value

    def set(self, key: str, value: str, seconds: int) -> None:
        """Store `value` for so many seconds."""
        with self._lock:
            self._entries[key] = (value, self._clock() + seconds)
            self._entries.move_to_end(key)
            if len(self._entries) > _LARGEST:
                self._entries.popitem(last=False)

    def delete(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._entries.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def ping(self) -> None:
        """It is in this process: it answers."""

    def close(self) -> None:
        """Nothing to let go of."""


class RedisCache:
    """Redis, shared between processes."""

    def __init__(self, url: str) -> None:
        """Connects lazily."""
        from redis import Redis  # a quarter of a second that the embedded default need not pay

        self._redis: Redis = Redis.from_url(url, decode_responses=True)

    def get(self, key: str) -> str | None:
        """The text stored under `key`, if it is still there."""
        value = self._redis.get(_PREFIX + key)
        return value if isinstance(value, str) else None

    def set(self, key: str, value: str, seconds: int) -> None:
        """Store `value` for so many seconds."""
        self._redis.set(_PREFIX + key, value, ex=seconds)

    def delete(self, key: str) -> None:
        """Forget one key."""
        self._redis.delete(_PREFIX + key)

    def clear(self) -> None:
        """Forget everything that is ours."""
        for key in self._redis.scan_iter(match=_PREFIX + "*", count=1000):
            self._redis.delete(key)

    def ping(self) -> None:
        """Raise if Redis does not answer."""
        self._redis.ping()

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()


def open_cache(url: str) -> Cache:
    """The cache at `url`, or one in this process."""
    if not url:
        return LocalCache()
    if url.startswith(("redis://", "rediss://")):
        return RedisCache(url)
    raise ValueError(f"DEMO_CACHE_URL is neither empty nor redis://...: {url!r}")
