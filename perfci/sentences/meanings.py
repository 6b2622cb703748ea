"""What the counters of a target mean, for who reads of them."""

from collections.abc import Mapping
from types import MappingProxyType

from perfci.model import Phrases

COUNTERS: Mapping[str, str] = MappingProxyType(
    {
        "failures": "Share of the requests that failed, with nothing else in flight.",
        "statements": "Statements sent to the database for one request.",
        "transactions": "Transactions for one request.",
        "commands": "Commands sent to the cache for one request.",
        "misses": "Lookups that the cache could not answer, for one request.",
        "hits": "Lookups that the cache answered, for one request.",
        "rows": "Rows that the statements of one request returned or changed.",
        "blocks": "Blocks that the database looked at for one request.",
        "bytes": "Bytes for one request.",
        "packets": "Network packets for one request.",
        "reads": "Reads by the service for one request.",
        "writes": "Writes by the service for one request.",
    }
)
OWN_COUNTER = "A counter of the target's own, for one request."
MORE_OR_FEWER = Phrases("has {change} more {metric}", "has {change} fewer {metric}")
RESTARTS = "How often the service died or was restarted in a round."
