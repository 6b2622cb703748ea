"""
The report as CSV: one row for each endpoint, side and kind of round, for spreadsheets and scripts.

The columns of Locust's statistics come first, so that what reads those reads these; then side, kind of round, number of
rounds, the verdict, and the mean of each metric over the rounds.
"""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from perfci import histogram
from perfci.model import ALL_ENDPOINTS, Decision, Round, RoundKind, Run, SeriesVerdict, Side
from perfci.report.sanitise import plain
from perfci.report.view import View

LOCUST = (
    *("Type", "Name", "Request Count", "Failure Count", "Median Response Time", "Average Response Time"),
    *("Min Response Time", "Max Response Time", "Average Content Size", "Requests/s", "Failures/s"),
)
SHARES = (0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0)
OURS = ("Side", "Kind", "Rounds", "Verdict")
NAME_LIMIT = 300

_SEVEREST = tuple(
    SeriesVerdict(verdict)
    for verdict in (
        "regression",
        "accepted",
        "inconclusive",
        "improvement",
        "below budget",
        "equivalent",
        "not compared",
    )
)
_FORMULA = ("=", "+", "-", "@")


def document(view: View) -> str:
    """The whole table; without a run, which alone has the requests, it has no rows."""
    run = view.run
    metrics = _metrics(run) if run is not None else []
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*LOCUST, *(f"{100 * share:.10g}%" for share in SHARES), *OURS, *metrics])
    if run is not None:
        writer.writerows(_rows(run, view.outcome.decisions, metrics))
    return text.getvalue()


def _metrics(run: Run) -> list[str]:
    """The names of all metrics that any round has."""
    return sorted({name for each in run.rounds for seen in each.endpoints.values() for name in seen.values})


def _rows(run: Run, decisions: Sequence[Decision], metrics: Sequence[str]) -> Iterator[list[str]]:
    for kind in RoundKind:
        for side in Side:
            rounds = [each for each in run.rounds if each.kind is kind and each.side is side]
            for name in sorted({name for each in rounds for name in each.endpoints}):
                seen = [each for each in rounds if name in each.endpoints]
                verdict = _verdict(name, kind, decisions) if side is Side.CANDIDATE else ""
                values = [_mean([each.endpoints[name].values.get(metric) for each in seen]) for metric in metrics]
                yield [*_statistics(name, seen), side.value, kind.value, str(len(seen)), verdict, *values]


def _statistics(name: str, rounds: Sequence[Round]) -> list[str]:
    """The values of Locust's columns; the mean content size is not stored and stays empty."""
    seen = [each.endpoints[name] for each in rounds]
    requests, failures = sum(endpoint.requests for endpoint in seen), sum(endpoint.failures for endpoint in seen)
    seconds = sum(each.duration_s for each in rounds)
    latencies = histogram.merged(endpoint.histogram for endpoint in seen if endpoint.histogram is not None)
    quantiles = [histogram.quantile(latencies, share) for share in (0.0, *SHARES)]
    method, _, path = name.partition(" ")
    known = method.isupper() and path and name != ALL_ENDPOINTS
    mean = _mean([endpoint.values.get("mean") for endpoint in seen])
    return [
        method if known else "",
        _cell(path if known else name),
        str(requests),
        str(failures),
        _number(quantiles[1]),
        mean,
        _number(quantiles[0]),
        _number(quantiles[-1]),
        "",
        _number(requests / seconds if seconds else None),
        _number(failures / seconds if seconds else None),
        *(_number(value) for value in quantiles[1:]),
    ]


def _verdict(name: str, kind: RoundKind, decisions: Sequence[Decision]) -> str:
    """The severest verdict on the endpoint's series that count."""
    found = {
        decision.verdict
        for decision in decisions
        if decision.counts and decision.comparison.series.endpoint == name and decision.comparison.kind is kind
    }
    return next((verdict.value for verdict in _SEVEREST if verdict in found), "")


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return _number(sum(known) / len(known) if known else None)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _cell(text: str) -> str:
    """A name that spreadsheets do not take for a formula."""
    name = plain(text, NAME_LIMIT)
    return f"'{name}" if name.startswith(_FORMULA) else name
