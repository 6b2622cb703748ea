"""What to do about a limit that is breached, by what it is on."""

from collections.abc import Mapping

from perfci.sentences.finding import listed
from perfci.sentences.reason import reason

SLOW = "look for slow queries and missing indexes, a small connection pool, a cold cache, a machine without reserve"
"""Of a limit on latencies."""

_FAILING = "read the errors and the log of the service: time-outs, exhausted pools, memory, and rate limits"

ADVICE: Mapping[str, str] = {
    "throughput": "look for a busy core, contention on locks and connections, and too few workers",
    "failure_rate": _FAILING,
    "success_rate": _FAILING,
    "availability": "see the log of the service for the time in which it did not answer: restarts, stalls, full queues",
    "cache_hit_rate": "warm the cache, keep entries for longer, invalidate less, and ask for data that repeats",
    "cache_hit_loss": "see what else fills the cache, expires in it, or empties it while the load goes on",
    "recovery": "see what is still queued after the spike: shed load early, and bound queues and retries",
    "breaking_point": "what gave way first is the bottleneck: relieve it, or add instances before so many users come",
    "memory_growth": "compare two heap dumps of the service, and bound caches, sessions and listeners",
    "connection_growth": "close what is opened: a connection is not given back on some path",
    "latency_drift": "something grows with time: a table without an index, a list that is searched, a full cache",
    "requests_per_user": "use fewer users or longer waits: a service that refuses beyond its rate limit is not slow",
    "users": "start more load generators, or ask for fewer users",
    "restarts": "the end of the service's log says why it died",
}
"""By the name of the metric; of others it is `SLOW`."""


@reason
class LimitsBroken:
    """Limits that ask for the same."""

    code = "limits-broken"
    limits: tuple[tuple[str, str], ...]  # metric, and what it is on

    def __str__(self) -> str:
        return listed([f"{metric} of {where}" for metric, where in self.limits])
