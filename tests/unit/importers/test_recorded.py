"""Files that the tools themselves wrote about one small service, which answers after 12 ms."""

from pathlib import Path

import numpy as np
import pytest

from perfci.errors import ResultError
from perfci.importers import ForeignResult, read
from perfci.quantile import quantile

RECORDED = Path(__file__).parents[2] / "data" / "foreign"


def median_ms(result: ForeignResult) -> float:
    """Of the first endpoint."""
    if result.requests is not None:
        return quantile(sorted(result.requests.latency_ms), 0.5)
    return result.aggregates[0].quantiles_ms[0.5]


@pytest.mark.parametrize(
    ("file", "name", "endpoints", "requests", "failures"),
    [
        ("ab.txt", "ApacheBench output", ["/slow"], 60, 0),
        ("autocannon.json", "autocannon results (JSON)", ["http://127.0.0.1:18765/slow"], 279, 0),
        ("hey.txt", "hey or oha output", ["(all requests)"], 60, 0),
        ("oha.json", "oha summary (JSON)", ["(all requests)"], 60, 0),
        ("oha-broken.json", "oha summary (JSON)", ["(all requests)"], 60, 60),
        ("oha-deadline.json", "oha summary (JSON)", ["(all requests)"], 154, 0),  # two more were cut off by -z 1s
        ("oha.txt", "hey or oha output", ["(all requests)"], 60, 0),
        ("oha-breakdown.txt", "hey or oha output", ["(all requests)"], 60, 60),
        ("vegeta.json", "Vegeta report (JSON)", ["(all requests)"], 60, 0),
        ("vegeta.txt", "Vegeta report (text)", ["(all requests)"], 60, 0),
        ("vegeta-hdrplot.txt", "HdrHistogram percentiles (text)", ["(all requests)"], 60, None),
        ("wrk.txt", "wrk or wrk2 output", ["http://127.0.0.1:18765/slow"], 294, 0),
    ],
)
def test_a_summary_is_one_aggregate(
    file: str, name: str, endpoints: list[str], requests: int, failures: int | None
) -> None:
    """Its counts are those of the file, and its median is that of the service, in milliseconds."""
    found, result = read(RECORDED / file)
    assert (found.name, list(result.endpoints)) == (name, endpoints)
    assert (result.aggregates[0].requests, result.aggregates[0].failures) == (requests, failures)
    assert 12 < median_ms(result) < 14.5


@pytest.mark.parametrize(
    ("file", "name", "endpoint", "requests"),
    [
        ("hey.csv", "hey results (CSV)", "(all requests)", 60),
        ("oha.csv", "oha results (CSV)", "(all requests)", 60),
        ("ab.tsv", "ApacheBench requests (gnuplot)", "(all requests)", 60),
        ("vegeta-results.csv", "Vegeta results (CSV)", "GET http://127.0.0.1:18765/slow", 20),
        ("vegeta-results.json", "Vegeta results (JSON)", "GET http://127.0.0.1:18765/slow", 20),
    ],
)
def test_a_list_of_requests_is_read_whole(file: str, name: str, endpoint: str, requests: int) -> None:
    """Every request, with its latency in milliseconds; none failed."""
    found, result = read(RECORDED / file)
    assert (found.name, result.endpoints) == (name, (endpoint,))
    assert result.requests is not None
    assert (len(result.requests), sum(result.requests.failed)) == (requests, 0)
    assert 12 < median_ms(result) < 14.5


def test_k6_by_its_own_files() -> None:
    """Every second request failed, in the summary and in both kinds of samples; tags give the name."""
    _, summary = read(RECORDED / "k6-export.json")
    (found,) = summary.aggregates
    assert (found.name, found.requests, found.failures, summary.users) == ("(all requests)", 548, 274, 2)
    for file in ("k6.json", "k6.csv"):
        requests = read(RECORDED / file)[1].requests
        assert requests is not None
        assert requests.names == ("GET broken", "GET http://127.0.0.1:18765/slow")
        assert abs(2 * sum(requests.failed) - len(requests)) <= 1
        assert all(failed == (status == 500) for failed, status in zip(requests.failed, requests.status, strict=True))


@pytest.mark.parametrize(
    ("file", "name"), [("jmeter.csv", "JMeter results (CSV)"), ("jmeter.xml", "JMeter results (XML)")]
)
def test_jmeter_by_its_own_files(file: str, name: str) -> None:
    """Of JMeter 5.6.3: two users ten times each, every second sample fails."""
    found, result = read(RECORDED / file)
    assert (found.name, result.endpoints) == (name, ("GET /broken", "GET /slow"))
    assert result.requests is not None
    assert (len(result.requests), sum(result.requests.failed)) == (40, 20)
    assert all(
        failed == (status == 500) for failed, status in zip(result.requests.failed, result.requests.status, strict=True)
    )
    assert 12 < median_ms(result) < 30


def test_both_encodings_of_vegeta_hold_the_same_requests() -> None:
    """Begin, latency, status and size, to the nanosecond."""
    (_, as_csv), (_, as_json) = (read(RECORDED / f"vegeta-results.{ending}") for ending in ("csv", "json"))
    assert as_csv.requests is not None
    assert as_json.requests is not None
    for column in ("latency_ms", "status", "size"):
        assert list(getattr(as_csv.requests, column)) == list(getattr(as_json.requests, column))
    assert np.allclose(as_csv.requests.start_s, as_json.requests.start_s, atol=1e-5, rtol=0)


def test_locust_statistics_have_each_endpoint_and_not_their_sum() -> None:
    """Type and Name are the key, failures are counted, and "Aggregated" is no endpoint."""
    _, result = read(RECORDED / "locust_stats.csv")
    assert {aggregate.name: (aggregate.requests, aggregate.failures) for aggregate in result.aggregates} == {
        "POST /fast": (28, 0),
        "GET /slow": (72, 0),
        "GET broken, with a comma": (20, 20),
    }
    slow = result.aggregates[1]
    assert [slow.quantiles_ms[0.5], slow.quantiles_ms[0.95]] == [14, 22]
    assert slow.throughput == pytest.approx(36.1347, abs=1e-3)
    assert any("rounds" in note for note in result.notes)


def test_locust_statistics_as_json_have_the_end_of_the_run_that_the_csv_lacks() -> None:
    """Both are of the same run; the CSV misses its last second, and says so."""
    csv, full = (
        {aggregate.name: aggregate for aggregate in read(RECORDED / file)[1].aggregates}
        for file in ("locust_stats.csv", "locust.json")
    )
    assert csv.keys() == full.keys()
    assert full["GET /slow"].requests == 99
    assert full["GET /slow"].quantiles_ms[0.5] == csv["GET /slow"].quantiles_ms[0.5]
    assert any("last second" in note for note in read(RECORDED / "locust_stats.csv")[1].notes)


def test_a_locust_history_gives_the_totals_at_its_end() -> None:
    """Per endpoint where the full history was written, with users and duration."""
    _, result = read(RECORDED / "locust_stats_history.csv")
    assert {aggregate.name: aggregate.requests for aggregate in result.aggregates} == {
        "POST /fast": 28,
        "GET /slow": 72,
        "GET broken, with a comma": 20,
    }
    assert (result.users, result.duration_s) == (2, 2.0)


def test_locust_failures_are_counts_alone() -> None:
    """No times, and that is said."""
    _, result = read(RECORDED / "locust_failures.csv")
    assert [(aggregate.name, aggregate.failures, aggregate.requests) for aggregate in result.aggregates] == [
        ("GET broken, with a comma", 20, None)
    ]
    assert "no times" in result.notes[0]


def test_hyperfine_and_pytest_benchmark_give_every_run() -> None:
    """In milliseconds, by the name of the command or the test."""
    _, commands = read(RECORDED / "hyperfine.json")
    assert commands.endpoints == ("sleep 0.01", "sleep 0.02")
    _, benchmarks = read(RECORDED / "pytest-benchmark.json")
    assert benchmarks.endpoints == ("test_b.py::test_sleepy",)
    assert benchmarks.requests is not None
    assert 2 < quantile(sorted(benchmarks.requests.latency_ms), 0.5) < 3


def test_the_binary_results_of_vegeta_are_refused_with_the_way_to_read_them() -> None:
    """Recognised, not misread."""
    with pytest.raises(ResultError, match="vegeta encode -to csv"):
        read(RECORDED / "vegeta.bin")
