"""What the service counts about itself, in Prometheus's words."""

import time
from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

disable_created_metrics()  # type: ignore[no-untyped-call]  # a moment per series says nothing about load
_BUCKETS = (0.001, 0.002, 0.004, 0.006, 0.008, 0.012, 0.016, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """The counters of one application; each has its own registry, so that two can live in one process."""

    def __init__(self) -> None:
        """Everything starts at zero."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self.requests = Counter("demo_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "demo_request_seconds",
            "Time to the end of the response",
            labels[:2],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.cache = Counter("demo_cache_lookups", "Cache lookups", ("result",), registry=self.registry)
        self.statements = Counter("demo_db_statements", "Database statements", ("verb",), registry=self.registry)
        self.websockets = Gauge("demo_websockets_open", "WebSockets that are open", registry=self.registry)
        for result in ("hit", "miss"):
            self.cache.labels(result)

    def watch_pool(self, *, in_use: Callable[[], int], opened: Callable[[], int]) -> None:
        """Show how many connections to the database are taken, and how many are open, whenever somebody looks."""
        taken = Gauge("demo_db_connections_in_use", "Connections of the pool that are taken", registry=self.registry)
        taken.set_function(in_use)
        there = Gauge("demo_db_connections_open", "Connections to the database", registry=self.registry)
        there.set_function(opened)

    def lookups(self) -> tuple[int, int]:
        """Hits and misses so far."""
        samples = (sample for family in self.cache.collect() for sample in family.samples)
        found = {sample.labels["result"]: int(sample.value) for sample in samples if sample.name.endswith("_total")}
        return found["hit"], found["miss"]

    def count_statement(self, statement: str) -> None:
        """Count one database statement by its first word."""
        self.statements.labels(statement.lstrip().split(None, 1)[0].lower()).inc()

    def count_lookup(self, *, hit: bool) -> None:
        """Count one look into the cache."""
        self.cache.labels("hit" if hit else "miss").inc()

    def text(self) -> bytes:
        """All of it, in the exposition format."""
        return generate_latest(self.registry)


def route_template(scope: Scope) -> str | None:
    """The path of the route that took the request, such as `/tickets/{id}`; none if no route did (yet)."""
    path = getattr(scope.get("route"), "path_format", None)
    return path if isinstance(path, str) else None


class MetricsMiddleware:
    """Counts every request by the template of its route, so that identifiers make no new series."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        """Wraps `app`."""
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = route_template(scope) or "unmatched"
            self._metrics.requests.labels(scope["method"], route, str(status)).inc()
            self._metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - started)
