# ruff: noqa: INP001  # a file for Locust, no package
"""What Prometheus can scrape from Locust's own page: `locust -f load_tests/crm.py,deploy/monitoring/exporter.py ...`.

`/metrics` beside the page (port 8089) has users, workers, and for each request its number, failures and response
times. On a master it is the sum of all workers, as old as their last report: three seconds at most.
"""

from collections.abc import Iterator
from typing import Any

from locust import events
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

LABELS = ("method", "name")
QUANTILES = (0.5, 0.95, 0.99)


class LocustCollector:
    """Reads Locust's statistics whenever somebody scrapes."""

    def __init__(self, environment: Any) -> None:
        """*environment* is Locust's."""
        self._environment = environment

    def collect(self) -> Iterator[Metric]:
        """Every series; without a runner there are none."""
        runner = self._environment.runner
        if runner is None:
            return
        yield GaugeMetricFamily("locust_users", "Users that are running", value=runner.user_count)
        workers = getattr(runner, "worker_count", 1)
        yield GaugeMetricFamily("locust_workers", "Workers that are connected", value=workers)
        yield from _requests(runner.stats.entries.values())


def _requests(entries: Any) -> Iterator[Metric]:
    asked = CounterMetricFamily("locust_requests", "Requests sent", labels=LABELS)
    failed = CounterMetricFamily("locust_failures", "Requests that failed", labels=LABELS)
    took = CounterMetricFamily("locust_response_time_seconds", "Time of all responses together", labels=LABELS)
    quantiles = GaugeMetricFamily(
        "locust_response_seconds", "Response time of the last ten seconds", labels=(*LABELS, "quantile")
    )
    for entry in entries:
        labels = (str(entry.method), str(entry.name))
        asked.add_metric(labels, entry.num_requests)
        failed.add_metric(labels, entry.num_failures)
        took.add_metric(labels, entry.total_response_time / 1000)
        for quantile in QUANTILES:
            recent = entry.get_current_response_time_percentile(quantile)
            if recent is not None:
                quantiles.add_metric((*labels, str(quantile)), recent / 1000)
    yield from (asked, failed, took, quantiles)


@events.init.add_listener
def _serve(environment: Any, **_: Any) -> None:
    if environment.web_ui is None:  # headless, or a worker
        return
    registry = CollectorRegistry()
    registry.register(LocustCollector(environment))

    @environment.web_ui.app.route("/metrics")
    def metrics() -> tuple[bytes, int, dict[str, str]]:
        return generate_latest(registry), 200, {"Content-Type": CONTENT_TYPE_LATEST}
