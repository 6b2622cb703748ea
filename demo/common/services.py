"""The long-lived parts of one application."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from fastapi.concurrency import run_in_threadpool

from demo.common.cache import Cache
from demo.common.database import Database
from demo.common.hub import Hub
from demo.common.later import Later
from demo.common.metrics import Metrics
from demo.common.rate_limit import RateLimiter
from demo.common.security import Tokens
from demo.common.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True)
class Services:
    """What requests work with."""

    settings: Settings
    database: Database
    cache: Cache
    metrics: Metrics
    tokens: Tokens
    limiter: RateLimiter
    faults: Mapping[str, float] = field(default_factory=dict)
    """The faults that are switched on, each with its amount."""
    later: Later = field(default_factory=Later)
    hub: Hub = field(default_factory=Hub)

    @property
    def embedded(self) -> bool:
        """Whether database and cache are in this process."""
        return self.database.dialect == "sqlite" and not self.settings.cache_url

    async def run_near(self, work: Callable[[], T]) -> T:
        """
        Do a moment's work on the event loop where nothing leaves the process, else in a worker thread.

        A trip to a thread and back costs more than a look into a dictionary, and its length varies far more.
        """
        return work() if self.embedded else await run_in_threadpool(work)
