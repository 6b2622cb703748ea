"""So many requests a minute for each account."""

import time
from collections import defaultdict, deque
from collections.abc import Callable

MINUTE = 60.0


class RateLimiter:
    """Remembers when each account asked in the last minute; of this process alone."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """*per_minute* 0 means no limit; *clock* gives seconds."""
        self._per_minute = per_minute
        self._clock = clock
        self._asked: defaultdict[int, deque[float]] = defaultdict(deque)

    def wait(self, account: int) -> float:
        """Count a request. 0 if it is within the limit, else the seconds until one would be."""
        if not self._per_minute:
            return 0.0
        now, asked = self._clock(), self._asked[account]
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        if len(asked) >= self._per_minute:
            return asked[0] + MINUTE - now
        asked.append(now)
        return 0.0
