"""
Defects on request, each one of a kind that slips through reviews: for anyone who has to show that they can see it.

`DEMO_FAULTS=n-plus-one,errors=0.02` switches them on. Some make a request do more work. Some do not: one request at a
time is as quick as ever, and only many at once get in each other's way. Some break what worked a moment ago.
"""

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum

from sqlalchemy import Connection, text

from demo.common.cache import Cache

FEW_CONNECTIONS = 2


class Fault(StrEnum):
    """What can be wrong; the text is what `DEMO_FAULTS` takes, with `=AMOUNT` where it has one."""

    N_PLUS_ONE = "n-plus-one"
    """`GET /tickets/` loads whoever asked for each ticket one by one."""
    EXTRA_QUERY = "extra-query"
    """`GET /tickets/{id}` counts comments that nobody looks at."""
    DROPPED_INDEX = "dropped-index"
    """Of each system one index is gone: what belongs to one row is found by reading all rows."""
    NO_CACHE = "no-cache"
    """After so many entries nothing is put into the cache any more; usually from the start."""
    CACHE_STOPS = "cache-stops"
    """After so many lookups the cache finds nothing any more."""
    DOUBLE_PAYLOAD = "double-payload"
    """The answer of `GET /tickets/` is twice as long."""
    CHATTY_UPSTREAM = "chatty-upstream"
    """`GET /reports/dashboard` asks the cache twenty small questions, one after the other."""

    LOCK = "lock"
    """Requests wait for each other: a lock is held while directory and database are asked."""
    SMALL_POOL = "small-pool"
    """Two connections to the database, instead of one for each worker thread."""
    HALF_WORKERS = "half-workers"
    """Half as many worker threads as there are cores, at least one, instead of forty."""

    ERRORS = "errors"
    """This share of the requests is answered with 500."""
    HANG = "hang"
    """This share of the requests is answered a minute late."""
    CRASH = "crash"
    """The process ends without a word after so many requests."""
    LEAK = "leak"
    """Each request leaves so many kilobytes behind for ever."""
    LOST_CONNECTIONS = "lost-connections"
    """Of so many requests one takes a further connection to the database, and never gives it back."""
    CREEP = "creep"
    """Each request takes so many microseconds longer than the one before it."""
    NO_RECOVERY = "no-recovery"
    """After so many requests at once every later one takes a fifth of a second longer."""
    NO_RATE_LIMIT = "no-rate-limit"
    """Nobody is refused for asking too often."""
    DROPPED_FRAMES = "dropped-frames"
    """This share of the frames that a WebSocket receives is not answered."""


AMOUNTS: Mapping[Fault, float] = {
    Fault.NO_CACHE: 0,
    Fault.CACHE_STOPS: 1000,
    Fault.ERRORS: 0.02,
    Fault.HANG: 0.01,
    Fault.CRASH: 500,
    Fault.LEAK: 64,
    Fault.LOST_CONNECTIONS: 400,
    Fault.CREEP: 20,
    Fault.NO_RECOVERY: 30,
    Fault.DROPPED_FRAMES: 0.05,
}
"""The amount of those that have one, unless another is given."""
SHARES = frozenset({Fault.ERRORS, Fault.HANG, Fault.DROPPED_FRAMES})
"""Those whose amount is a share."""


def parse_faults(listed: str) -> dict[str, float]:
    """Read `n-plus-one,errors=0.02` as names with amounts; ValueError says what is wrong."""
    parts = [part.strip() for part in listed.split(",") if part.strip()]
    known = [fault.value for fault in Fault]
    names = [part.partition("=")[0] for part in parts]
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"DEMO_FAULTS: there is no {', '.join(unknown)}; there are {', '.join(known)}")
    return dict(map(_parse_fault, parts))


def _parse_fault(part: str) -> tuple[str, float]:
    name, given, amount = part.partition("=")
    fault = Fault(name)
    if not given:
        return fault, AMOUNTS.get(fault, 1.0)
    if fault not in AMOUNTS:
        raise ValueError(f"DEMO_FAULTS: {name} has no amount, and so no ={amount}")
    try:
        value = float(amount)
    except ValueError:
        value = -1.0
    most = 1.0 if fault in SHARES else 1e9
    if not 0 <= value <= most:
        raise ValueError(f"DEMO_FAULTS: {part} needs a number between 0 and {most:g}")
    return fault, value


def drop_indices(connection: Connection, names: Iterable[str]) -> None:
    """Lose them."""
    for name in filter(None, names):
        connection.execute(text(f"DROP INDEX IF EXISTS {name}"))


def few_workers() -> int:
    """The worker threads that are left."""
    return max(1, (os.cpu_count() or 2) // 2)


class ForgetfulCache:
    """A cache that keeps some entries, and after them none."""

    def __init__(self, cache: Cache, kept: int) -> None:
        """Wraps `cache`, which is asked as before."""
        self._cache = cache
        self._left = kept
        self.get = cache.get
        self.delete = cache.delete
        self.clear = cache.clear
        self.ping = cache.ping
        self.close = cache.close

    def set(self, key: str, value: str, seconds: int) -> None:
        """Keep it, if it is among the first."""
        if self._left > 0:
            self._left -= 1
            self._cache.set(key, value, seconds)


class StoppedCache:
    """A cache that finds what is asked for so many times, and after that nothing."""

    def __init__(self, cache: Cache, lookups: int) -> None:
        """Wraps `cache`, which stores as before."""
        self._cache = cache
        self._left = lookups
        self.set = cache.set
        self.delete = cache.delete
        self.clear = cache.clear
        self.ping = cache.ping
        self.close = cache.close

    def get(self, key: str) -> str | None:
        """The text stored under `key`, while it lasts."""
        self._left -= 1
        return self._cache.get(key) if self._left >= 0 else None
