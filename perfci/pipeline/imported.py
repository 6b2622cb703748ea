"""
Converts other tools' result files into runs: each file is one measurement, several files of a side are replicates.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from perfci import __version__, importers
from perfci.errors import ResultError
from perfci.importers import Aggregate, ForeignResult, locust_csv
from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS, EndpointRound, Fingerprint, Origin, Requests, Round, RoundKind, Run, Side

PROFILE, SCENARIO = "imported", "file"
"""Profile and scenario of a run whose file names none."""

_QUANTILES = {0.5: "p50", 0.95: "p95", 0.99: "p99"}
"""Share -> the metric that is this quantile."""


_OF_LOCUST = re.compile(r"(.+)_(?:stats|stats_history|requests|distribution|failures|exceptions)\.csv")
_OF_LOCUST_FIRST = (
    "Locust statistics (CSV)",
    "Locust percentiles (CSV)",
    "Locust history (CSV)",
    "Locust failures (CSV)",
    "Locust exceptions (CSV)",
)
"""Locust's files, the most detailed first."""


@dataclass(frozen=True, slots=True)
class Imported:
    """One result file of another tool."""

    path: Path
    format: str
    result: ForeignResult
    digest: str  # of its content, and of those beside it that are of the same measurement


def find(path: Path) -> tuple[Imported, ...]:
    """
    The other tools' results at *path*: that file, or the files in that folder, by name; empty where there are none.

    The files that Locust writes of one run with `--csv` are one measurement.
    """
    return tuple(of_files(files_at(path)))


def files_at(path: Path) -> list[Path]:
    """The paths of other tools' result files at *path*: that file, or those in that folder, by name; may be empty."""
    paths = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
    return [entry for entry in paths if entry.is_file() and importers.knows(entry)]


def of_files(paths: Iterable[Path]) -> list[Imported]:
    """The measurements in the files at *paths*; ResultError where one cannot be read."""
    return _joined([_read(path) for path in paths])


def run_of(files: Sequence[Imported], *, name: str) -> Run:
    """
    A run with a block for each of *files*; *name* is its display name.

    ResultError where the files are of several tools or formats, or none of them has a request.
    """
    tools = sorted({file.result.tool for file in files})
    if len(tools) != 1:
        raise ResultError(
            f"{name} has files of {' and '.join(tools) or 'no tool'}",
            hint="the files of one side are its replicates: keep those of one tool in a folder of their own",
        )
    if len(formats := sorted({file.format for file in files})) > 1:
        raise ResultError(
            f"{name} has files of {len(formats)} formats: {', '.join(formats)}",
            hint="two files of one measurement are no replicates: keep one format, with a file for each measurement",
        )
    if len({file.digest for file in files}) < len(files):
        raise ResultError(
            f"{name} has the same content twice",
            hint="one measurement under two names is no replicate: give each measurement once",
        )
    rounds = tuple(_round(file.result, block) for block, file in enumerate(files, start=1))
    if not any(seen.values for round_ in rounds for seen in round_.endpoints.values()):
        notes = "; ".join(note for file in files for note in file.result.notes)
        raise ResultError(f"{name} has no measured request", hint=notes or "give the file with the statistics")
    began = min(round_.started_at for round_ in rounds)
    digest = hashlib.sha256(" ".join(file.digest for file in files).encode()).hexdigest()
    return Run(
        id=f"{datetime.fromtimestamp(began, UTC):%Y%m%d-%H%M%S}-{digest[:8]}",
        created_at=f"{datetime.fromtimestamp(began, UTC):%Y-%m-%dT%H:%M:%SZ}",
        profile=PROFILE,
        scenario=SCENARIO,
        commits={Side.BASE: "", Side.CANDIDATE: ""},
        fingerprint=Fingerprint(
            machine=None,
            plan=None,
            seed_digest="",
            target_kind="external",
            target={},
            versions={"perfci": __version__},
        ),
        rounds=rounds,
        complete=True,
        incidents=tuple(dict.fromkeys(f"{file.result.tool}: {note}" for file in files for note in file.result.notes)),
        origin=Origin(tool=tools[0], file=", ".join(file.path.name for file in files)),
    )


def _read(path: Path) -> Imported:
    found, result = importers.read(path)
    return Imported(path, found.name, result, hashlib.sha256(path.read_bytes()).hexdigest())


def _joined(files: Sequence[Imported]) -> list[Imported]:
    """The measurements, with the files of one Locust run, whose names differ only in their endings, joined into one."""
    groups: dict[tuple[Path, str | int], list[Imported]] = {}
    for number, file in enumerate(files):
        match = _OF_LOCUST.fullmatch(file.path.name) if file.format in _OF_LOCUST_FIRST else None
        groups.setdefault((file.path.parent, match[1] if match else number), []).append(file)
    return [_one(group) for group in groups.values()]


def _one(group: Sequence[Imported]) -> Imported:
    if len(group) == 1:
        return group[0]
    first = min(group, key=lambda file: _OF_LOCUST_FIRST.index(file.format))
    digest = hashlib.sha256(" ".join(file.digest for file in group).encode()).hexdigest()
    result = locust_csv.joined(first.result, [file.result for file in group if file is not first])
    return replace(first, result=result, digest=digest)


def _round(result: ForeignResult, block: int) -> Round:
    """The file as a load round; a file without a start time begins at 0."""
    if result.requests is not None:
        began, ended = _span(result.requests)
        endpoints = registry.measure(result.requests, windows=[(began, ended)])
        duration = result.duration_s or ended - began
    else:
        began, duration = result.started_at or 0.0, result.duration_s or 0.0
        aggregates = _once(result.aggregates)
        endpoints = {
            each.name: _endpoint(each, duration) for each in (*aggregates, _together(aggregates, result.whole))
        }
    return Round(
        kind=RoundKind.LOAD,
        side=Side.CANDIDATE,
        block=block,
        number=1,
        started_at=max(began, 0.0),
        duration_s=duration,
        warmup_s=0.0,
        endpoints=endpoints,
        generator=None,
        target=None,
    )


def _span(requests: Requests) -> tuple[float, float]:
    """The measured window: from the first request to the end of the last one, exclusive."""
    ends = (start + latency / 1000 for start, latency in zip(requests.start_s, requests.latency_ms, strict=True))
    return min(requests.start_s), max(ends) + 1e-3


def _once(aggregates: Iterable[Aggregate]) -> list[Aggregate]:
    """Raise ResultError where two endpoints have the same name, since one of them would be lost."""
    found = list(aggregates)
    names = [aggregate.name for aggregate in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ResultError(f"{twice[0][:80]!r} is there twice", hint="the file is not what a tool wrote")
    return found


def _together(aggregates: Sequence[Aggregate], whole: Aggregate | None) -> Aggregate:
    """Aggregate all endpoints: counts are added; quantiles cannot be combined, and are taken from the *whole*."""
    if len(aggregates) == 1:
        return replace(aggregates[0], name=ALL_ENDPOINTS)
    return Aggregate(
        name=ALL_ENDPOINTS,
        requests=sum(each.requests or 0 for each in aggregates),
        failures=sum(each.failures or 0 for each in aggregates),
        mean_ms=whole.mean_ms if whole else None,
        quantiles_ms=whole.quantiles_ms if whole else {},
        throughput=whole.throughput if whole else None,
    )


def _endpoint(aggregate: Aggregate, duration_s: float) -> EndpointRound:
    """Translate an aggregate to the names of perfci's metrics; nothing is computed that the file does not hold."""
    requests, failures = aggregate.requests or 0, min(aggregate.failures or 0, aggregate.requests or 0)
    values = {
        metric: aggregate.quantiles_ms[share] for share, metric in _QUANTILES.items() if share in aggregate.quantiles_ms
    }
    if aggregate.mean_ms is not None:
        values["mean"] = aggregate.mean_ms
    if requests and aggregate.failures is not None:
        values["failure_rate"] = failures / requests
    if requests and duration_s:
        values["throughput"] = (requests - failures) / duration_s
    elif aggregate.throughput is not None and requests:
        values["throughput"] = aggregate.throughput * (requests - failures) / requests
    return EndpointRound(requests=requests, failures=failures, values=values)
