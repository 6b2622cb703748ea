"""Reads result files of other load-testing and benchmark tools; the format is recognised by the content."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perfci.errors import ResultError
from perfci.importers import (
    ab,
    artillery,
    autocannon,
    benchmark_action,
    gatling,
    go_bench,
    hdr,
    hey,
    hyperfine,
    jmeter,
    k6,
    locust_csv,
    locust_html,
    locust_json,
    oha,
    pytest_benchmark,
    vegeta,
    wrk,
)
from perfci.importers.content import Content
from perfci.importers.foreign import Aggregate, ForeignResult, Sample, checked

MAX_BYTES = 2 << 30
"""Larger files are refused: they would not fit into the memory of a small runner."""

OWN_KEYS = (b'"fingerprint"', b'"rounds"')
"""In every stored run of perfci's own."""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """One kind of file: its name for people, what recognises it, and what reads it (ValueError where it cannot)."""

    name: str
    recognises: Callable[[Content], bool]
    parse: Callable[[Content], ForeignResult]


FORMATS = (
    FileFormat("Locust percentiles (CSV)", locust_csv.is_percentiles, locust_csv.parse_statistics),
    FileFormat("Locust statistics (CSV)", locust_csv.is_statistics, locust_csv.parse_statistics),
    FileFormat("Locust history (CSV)", locust_csv.is_history, locust_csv.parse_history),
    FileFormat("Locust failures (CSV)", locust_csv.is_failures, locust_csv.parse_failures),
    FileFormat("Locust exceptions (CSV)", locust_csv.is_exceptions, locust_csv.parse_exceptions),
    FileFormat("Locust request log (CSV)", locust_csv.is_requests, locust_csv.parse_requests),
    FileFormat("Locust statistics (JSON)", locust_json.recognises, locust_json.parse),
    FileFormat("Locust report (HTML)", locust_html.recognises, locust_html.parse),
    FileFormat("k6 summary (JSON)", k6.is_summary, k6.parse_summary),
    FileFormat("k6 samples (JSON)", k6.is_stream, k6.parse_stream),
    FileFormat("k6 samples (CSV)", k6.is_csv, k6.parse_csv),
    FileFormat("JMeter results (CSV)", jmeter.is_csv, jmeter.parse_csv),
    FileFormat("JMeter results (XML)", jmeter.is_xml, jmeter.parse_xml),
    FileFormat("Gatling simulation.log", gatling.recognises, gatling.parse),
    FileFormat("Vegeta report (JSON)", vegeta.is_report, vegeta.parse_report),
    FileFormat("Vegeta results (JSON)", vegeta.is_results, vegeta.parse_results),
    FileFormat("Vegeta results (CSV)", vegeta.is_csv, vegeta.parse_csv),
    FileFormat("Vegeta report (text)", vegeta.is_text, vegeta.parse_text),
    FileFormat("Vegeta results (binary)", vegeta.is_binary, vegeta.parse_binary),
    FileFormat("wrk or wrk2 output", wrk.recognises, wrk.parse),
    FileFormat("oha summary (JSON)", oha.is_json, oha.parse_json),
    FileFormat("oha results (CSV)", oha.is_csv, oha.parse_csv),
    FileFormat("hey results (CSV)", hey.is_csv, hey.parse_csv),
    FileFormat("hey or oha output", hey.is_text, hey.parse_text),
    FileFormat("autocannon results (JSON)", autocannon.recognises, autocannon.parse),
    FileFormat("Artillery report (JSON)", artillery.recognises, artillery.parse),
    FileFormat("ApacheBench output", ab.recognises, ab.parse),
    FileFormat("ApacheBench requests (gnuplot)", ab.is_gnuplot, ab.parse_gnuplot),
    FileFormat("hyperfine results (JSON)", hyperfine.recognises, hyperfine.parse),
    FileFormat("pytest-benchmark results (JSON)", pytest_benchmark.recognises, pytest_benchmark.parse),
    FileFormat("Go benchmark output", go_bench.recognises, go_bench.parse),
    FileFormat("github-action-benchmark data", benchmark_action.recognises, benchmark_action.parse),
    FileFormat("HdrHistogram percentiles (text)", hdr.is_percentiles, hdr.parse_percentiles),
    FileFormat("HdrHistogram log", hdr.is_log, hdr.parse_log),
)
"""Every format, tried in this order."""


def recognise(content: Content) -> FileFormat | None:
    """The format of *content*; None where it is none that perfci knows."""
    return next((found for found in FORMATS if found.recognises(content)), None)


def knows(path: Path) -> bool:
    """
    Whether the file at *path* is of a known format.

    perfci's own runs are recognised by the keys that all of them have, without parsing them: they may be large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            return False
        data = path.read_bytes()
    except OSError:
        return False
    return not all(key in data for key in OWN_KEYS) and recognise(Content(data)) is not None


def read(path: Path) -> tuple[FileFormat, ForeignResult]:
    """The format and content of the file at *path*; ResultError where it cannot be read, with the reason."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ResultError(f"{path} is {size / (1 << 30):.1f} GiB large", hint="perfci reads files of up to 2 GiB")
        content = Content(path.read_bytes())
    except OSError as error:
        raise ResultError(f"{path} cannot be read: {error.strerror or error}", hint="check the path") from None
    found = recognise(content)
    if found is None:
        what = "is empty" if not content.data.strip() else f"begins with {content.first_line[:60]!r}"
        known = ", ".join(sorted({entry.name.split(" (")[0] for entry in FORMATS}))
        raise ResultError(f"{path} is no file that perfci knows: it {what}", hint=f"perfci reads: {known}")
    try:
        return found, checked(found.parse(content))
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, csv.Error) as error:
        reason = (
            str(error)
            if isinstance(error, (ValueError, csv.Error))
            else f"a part is missing or of another kind ({error})"
        )
        raise ResultError(
            f"{path} looks like {found.name}, and cannot be read: {reason[:300]}",
            hint="the file may be truncated, or of a version that perfci does not know: write it again",
        ) from None


__all__ = ["FORMATS", "Aggregate", "Content", "FileFormat", "ForeignResult", "Sample", "knows", "read", "recognise"]
