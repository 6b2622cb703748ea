"""
The report as OpenMetrics text, for a Prometheus that scrapes files.

Every family is a gauge, so that the text is also valid in Prometheus' older format, which node_exporter's textfile
collector and `promtool check metrics` read.

Values are those of the reports: a time in seconds, a rate per second, a share between 0 and 1.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from perfci.model import Decision, Metric, Outcome, Quantity, Verdict
from perfci.report.sanitise import plain
from perfci.report.view import View

if TYPE_CHECKING:
    from prometheus_client.core import Metric as Family

NAME_LIMIT = 200
_SERIES = ("profile", "scenario", "kind", "endpoint", "metric")
_SLO = ("profile", "scenario", "endpoint", "metric")


def document(view: View) -> str:
    """The whole report, which ends with "# EOF"."""
    from prometheus_client import CollectorRegistry
    from prometheus_client.openmetrics.exposition import generate_latest

    class Report:
        """The collector of one report."""

        def collect(self) -> Iterator["Family"]:
            """Every family of metrics."""
            return _families(view)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Report())
    return str(generate_latest(registry).decode())  # type: ignore[no-untyped-call]


def _families(view: View) -> Iterator["Family"]:
    from prometheus_client.core import GaugeMetricFamily

    outcome, run = view.outcome, view.run
    whole = [_text(outcome.subject.profile), _text(outcome.subject.scenario)]
    verdict = GaugeMetricFamily("perfci_verdict", "1 for the verdict of the run.", labels=(*_SERIES[:2], "verdict"))
    for each in Verdict:
        verdict.add_metric([*whole, each.value], float(each is outcome.verdict))
    yield verdict
    red = GaugeMetricFamily("perfci_regressions", "Regressions of the run.", labels=_SERIES[:2])
    red.add_metric(whole, len(outcome.regressions))
    yield red
    for side in ("base", "candidate"):
        values = GaugeMetricFamily(f"perfci_{side}_value", f"Value of a series on the {side} side.", labels=_SERIES)
        _fill(values, outcome, ((each, _value(each, side)) for each in outcome.decisions))
        yield values
    changes = GaugeMetricFamily(
        "perfci_change", "Change of a series: relative, or the difference where none is normal.", labels=_SERIES
    )
    _fill(changes, outcome, ((each, _change(each)) for each in outcome.decisions))
    yield changes
    slos = GaugeMetricFamily(
        "perfci_slo_held", "Whether an SLO was held; absent where no round could tell.", labels=_SLO
    )
    for result in outcome.slos:
        if result.rounds:
            slos.add_metric([*whole, _text(result.slo.where), result.metric.name], float(result.held))
    yield slos
    if run is not None and run.rounds:
        measured = GaugeMetricFamily(
            "perfci_measured_timestamp_seconds", "When the last round began.", labels=_SERIES[:2]
        )
        measured.add_metric(whole, max(each.started_at for each in run.rounds))
        yield measured


def _fill(family: "Family", outcome: Outcome, values: Iterable[tuple[Decision, float | None]]) -> None:
    """Add a sample for each series with a value; series whose labels are equal become one."""
    seen: set[tuple[str, ...]] = set()
    for decision, value in values:
        comparison = decision.comparison
        series = comparison.series
        labels = (
            _text(outcome.subject.profile),
            _text(outcome.subject.scenario),
            comparison.kind.value,
            _text(series.endpoint),
            _text(series.metric.name),
        )
        if value is not None and labels not in seen:
            seen.add(labels)
            family.add_metric(labels, value)  # type: ignore[attr-defined]  # of every family


def _value(decision: Decision, side: str) -> float | None:
    comparison = decision.comparison
    return _scaled(comparison.base if side == "base" else comparison.candidate, comparison.series.metric)


def _change(decision: Decision) -> float | None:
    change = decision.comparison.change
    return None if change is None else change.estimate


def _scaled(value: float | None, metric: Metric) -> float | None:
    """A value in the base unit: seconds for times, which are stored in ms."""
    return float(f"{value / 1000:.12g}") if value is not None and metric.quantity is Quantity.TIME else value


def _text(value: str) -> str:
    return plain(value, NAME_LIMIT)
