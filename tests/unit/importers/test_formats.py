"""Formats by what is known about them: units, who counts the other way round, and what old versions wrote."""

import json
from pathlib import Path

import pytest

from perfci.errors import ResultError
from perfci.importers import ForeignResult, read
from perfci.importers.foreign import Aggregate


def parsed(tmp_path: Path, content: str | bytes) -> ForeignResult:
    """The result in a file of this content."""
    file = tmp_path / "file"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(file)[1]


def only(result: ForeignResult) -> Aggregate:
    """The one aggregate of a result."""
    (found,) = result.aggregates
    return found


K6_TIME = "http_req_duration"
K6: dict[str, dict[str, float]] = {
    "http_req_duration": {"avg": 20.5, "min": 10, "med": 18.5, "max": 90, "p(90)": 40, "p(95)": 60},
    "http_req_failed": {"passes": 3, "fails": 97, "value": 0.03},
    "http_reqs": {"count": 100, "rate": 9.9},
    "vus_max": {"value": 7, "min": 7, "max": 7},
}


@pytest.mark.parametrize("nested", [False, True], ids=["--summary-export", "handleSummary"])
def test_k6_counts_failures_as_passes_of_its_failed_metric(tmp_path: Path, nested: bool) -> None:
    """`http_req_failed` passed 3 times: 3 of 100 requests failed."""
    metrics = {name: {"type": "trend", "values": values} if nested else values for name, values in K6.items()}
    document = {"metrics": metrics, "state": {"testRunDurationMs": 10_000}}
    found = only(parsed(tmp_path, json.dumps(document)))
    assert (found.requests, found.failures, found.throughput) == (100, 3, 9.9)
    assert found.quantiles_ms == {0.5: 18.5, 0.9: 40, 0.95: 60}


def test_k6_summaries_part_what_thresholds_part(tmp_path: Path) -> None:
    """A metric with tags is an endpoint of its own."""
    metrics = K6 | {"http_req_duration{name:login}": K6["http_req_duration"] | {"med": 30}}
    assert parsed(tmp_path, json.dumps({"metrics": metrics})).endpoints == ("(all requests)", "name:login")


def test_k6_samples_are_requests_by_name(tmp_path: Path) -> None:
    """Time is that of the end, in either spelling; a status that was expected is no failure."""
    tags = {"name": "http://a/b", "method": "GET", "status": "404", "expected_response": "true"}
    lines = [
        {"type": "Metric", "data": {"name": "http_req_duration"}, "metric": "http_req_duration"},
        {"type": "Point", "data": {"time": "2026-01-02T03:04:05.5Z", "value": 500, "tags": tags}, "metric": K6_TIME},
        {"type": "Point", "data": {"time": "2026-01-02T03:04:05.5Z", "value": 1, "tags": tags}, "metric": "http_reqs"},
    ]
    found = parsed(tmp_path, "\n".join(map(json.dumps, lines))).requests
    assert found is not None
    assert (found.names, list(found.latency_ms), list(found.failed)) == (("GET http://a/b",), [500], [0])
    head = "metric_name,timestamp,metric_value,expected_response,method,name,status\n"
    csv = head + "http_req_duration,1767323045,500,false,GET,x,500\n"
    other = parsed(tmp_path, csv).requests
    assert other is not None
    assert (other.names, list(other.failed), list(other.start_s)) == (("GET x",), [1], [1767323044.5])


JTL = """timeStamp,elapsed,label,responseCode,responseMessage,success,bytes
1767323045000,120,Login,200,OK,true,512
1767323045100,80,"List, all",500,"Internal
Error",false,12
"""


def test_jmeter_csv_has_every_sample(tmp_path: Path) -> None:
    """Quoted commas and line breaks belong to the fields; milliseconds since the epoch become seconds."""
    found = parsed(tmp_path, JTL).requests
    assert found is not None
    assert found.names == ("List, all", "Login")
    assert (list(found.latency_ms), list(found.failed), list(found.status)) == ([120, 80], [0, 1], [200, 500])
    assert found.start_s[0] == 1767323045


def test_jmeter_xml_counts_a_transaction_once(tmp_path: Path) -> None:
    """What a sample holds is part of it."""
    xml = (
        '<?xml version="1.0"?><testResults version="1.2">'
        '<sample t="200" ts="1767323045000" s="true" lb="Checkout" rc="">'
        '<httpSample t="90" ts="1767323045000" s="true" lb="GET /cart" rc="200"/></sample>'
        '<httpSample t="15" ts="1767323046000" s="false" lb="GET /" rc="Non HTTP response code: timeout"/>'
        "</testResults>"
    )
    found = parsed(tmp_path, xml).requests
    assert found is not None
    assert (found.names, list(found.latency_ms), list(found.status)) == (("Checkout", "GET /"), [200, 15], [0, 0])
    with pytest.raises(ResultError, match="no whole XML document"):
        parsed(tmp_path, xml[:-40])
    with pytest.raises(ResultError, match="entities"):
        parsed(tmp_path, '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]>' + xml.partition("?>")[2])


@pytest.mark.parametrize("user", ["", "17\t"], ids=["3.13", "with a user"])
def test_gatling_text_logs_are_read_in_each_layout(tmp_path: Path, user: str) -> None:
    """Groups stand before the name."""
    log = (
        "RUN\tdemo.Simulation\tsimulation\t1767323045000\t \t3.9.0\n"
        f"REQUEST\t{user}Checkout,Pay\tPOST /pay\t1767323045000\t1767323045250\tKO\tstatus 500\n"
        f"REQUEST\t{user}\tGET /\t1767323045100\t1767323045110\tOK\t \n"
    )
    found = parsed(tmp_path, log).requests
    assert found is not None
    assert found.names == ("Checkout / Pay / POST /pay", "GET /")
    assert dict(zip(found.endpoint, found.latency_ms, strict=True)) == {0: 250, 1: 10}


def test_gatlings_binary_log_is_named(tmp_path: Path) -> None:
    """Recognised, not misread."""
    with pytest.raises(ResultError, match="binary"):
        parsed(tmp_path, b"\x00\x00\x00\x00\x063.14.0" + bytes(range(50)))


def test_oha_counts_in_seconds(tmp_path: Path) -> None:
    """As JSON; errors without an answer are failures."""
    document = {
        "summary": {
            "successRate": 0.9,
            "total": 2.0,
            "slowest": 0.05,
            "fastest": 0.01,
            "average": 0.02,
            "requestsPerSec": 55.0,
        },
        "latencyPercentiles": {"p50": 0.018, "p95": 0.04, "p99.9": None},
        "statusCodeDistribution": {"200": 90, "503": 5},
        "errorDistribution": {"connection refused": 5, "aborted due to deadline": 8},
    }
    found = only(parsed(tmp_path, json.dumps(document)))
    assert (found.requests, found.failures, found.mean_ms, found.quantiles_ms) == (100, 10, 20, {0.5: 18, 0.95: 40})


def test_oha_lists_every_answered_request(tmp_path: Path) -> None:
    """Its CSV, in seconds; what got no answer is not in it, and that is said."""
    csv = (
        "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status\n"
        "0.001,0.0001,0.0002,0.012,0.0125,2,200\n0.002,0,0,0.013,0.0135,2,503\n"
    )
    result = parsed(tmp_path, csv)
    assert result.requests is not None
    assert (list(result.requests.latency_ms), list(result.requests.failed)) == ([12.5, 13.5], [0, 1])
    assert result.notes


OHA = """Summary:
  Success rate:\t100.00%
  Total:\t2000.0000 ms
  Slowest:\t40.0000 ms
  Fastest:\t10.0000 ms
  Average:\t20.0000 ms
  Requests/sec:\t51.0000

Response time distribution:
  50.00% in 18.0000 ms
  95.00% in 38.0000 ms
  99.99% in NaN ms

Response time distribution (2xx only):
  50.00% in 17.0000 ms

Response time distribution (4xx + 5xx only):
  50.00% in 1.0000 ms

Status code distribution:
  [200] 90 responses
  [503] 10 responses

Error distribution:
  [2] aborted due to deadline
  [1] connection error: reset by peer
"""


def test_the_text_of_oha_is_that_of_all_requests(tmp_path: Path) -> None:
    """Neither the distributions of some of them count, nor those that were in flight when the load ended."""
    result = parsed(tmp_path, OHA)
    found = only(result)
    assert (result.tool, found.requests, found.failures) == ("oha", 101, 11)
    assert (found.mean_ms, found.quantiles_ms) == (20, {0.5: 18, 0.95: 38})


def test_artillery_of_both_versions(tmp_path: Path) -> None:
    """Answers of 400 and above, and requests without an answer, are failures."""
    version_2 = {
        "counters": {"http.requests": 20, "http.codes.200": 17, "http.codes.500": 2, "errors.ETIMEDOUT": 1},
        "rates": {"http.request_rate": 4},
        "summaries": {
            "http.response_time": {"min": 1, "max": 9, "mean": 3, "p50": 2, "median": 2, "p95": 8, "p999": 9}
        },
        "firstMetricAt": 1_000,
        "lastMetricAt": 6_000,
    }
    result = parsed(tmp_path, json.dumps({"aggregate": version_2}))
    found = only(result)
    assert (found.requests, found.failures, result.duration_s) == (20, 3, 5)
    assert found.quantiles_ms == {0.5: 2, 0.95: 8, 0.999: 9}
    version_1 = {
        "requestsCompleted": 19,
        "codes": {"200": 17, "500": 2},
        "errors": {"ETIMEDOUT": 1},
        "latency": {"min": 1, "max": 9, "median": 2, "p95": 8},
        "rps": {"mean": 4},
    }
    found = only(parsed(tmp_path, json.dumps({"aggregate": version_1})))
    assert (found.requests, found.failures, found.quantiles_ms) == (20, 3, {0.5: 2, 0.95: 8})


def test_lines_of_one_go_benchmark_are_its_replicates(tmp_path: Path) -> None:
    """Nanoseconds an operation, without the number of processors in the name."""
    found = only(
        parsed(
            tmp_path,
            "goos: linux\nBenchmarkSort-8   100  2000000 ns/op  16 B/op\nBenchmarkSort-8  120  4000000 ns/op\nPASS\n",
        )
    )
    assert (found.name, found.mean_ms, found.quantiles_ms, found.requests) == ("BenchmarkSort", 3, {0.5: 3}, 220)


def test_the_newest_entry_of_benchmark_data_counts(tmp_path: Path) -> None:
    """Times and rates become milliseconds; what is neither is named."""
    entries = [
        {"date": 1_000, "benches": [{"name": "sort", "value": 9, "unit": "ms"}]},
        {
            "date": 2_000,
            "benches": [
                {"name": "sort", "value": 5_000_000, "unit": "ns/iter"},
                {"name": "parse", "value": 200, "unit": "iter/sec"},
                {"name": "size", "value": 12, "unit": "MB"},
            ],
        },
    ]
    data = {"lastUpdate": 2_000, "repoUrl": "", "entries": {"Benchmark": entries}}
    result = parsed(tmp_path, f"window.BENCHMARK_DATA = {json.dumps(data)}")
    assert [(aggregate.name, aggregate.mean_ms) for aggregate in result.aggregates] == [
        ("Benchmark: sort", 5),
        ("Benchmark: parse", 5),
    ]
    assert "MB" in result.notes[1]


WRK2 = """Running 10s test @ http://localhost/
  2 threads and 10 connections
  Thread calibration: mean lat.: 1.1ms, rate sampling interval: 10ms
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.20ms  500.00us    1.00s    90.00%
    Req/Sec     1.05k   100.00      1.20k    80.00%
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    1.10ms
 99.900%  800.00us
100.000%    1.00s
  20000 requests in 10.00s, 2.00MB read
  Socket errors: connect 1, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 10
Requests/sec:   2000.00
"""


def test_wrk2_is_told_from_wrk(tmp_path: Path) -> None:
    """Each time has a unit of its own; errors and refusals are failures; the maximum is no quantile."""
    result = parsed(tmp_path, WRK2)
    found = only(result)
    assert (result.tool, found.requests, found.failures, found.max_ms) == ("wrk2", 20006, 16, 1000)
    assert found.quantiles_ms == {0.5: 1.1, 0.999: pytest.approx(0.8)}


LOCUST_0_12 = (
    '"Method","Name","# requests","# failures","Median response time","Average response time",'
    '"Min response time","Max response time","Average Content Size","Requests/s"\n'
    '"GET","/查询",10,1,12,13,1,40,100,2.50\n"None","Total",10,1,12,13,1,40,100,2.50\n'
)


@pytest.mark.parametrize(
    "content",
    [
        LOCUST_0_12.encode(),
        LOCUST_0_12.encode("gbk"),
        b"\xef\xbb\xbf" + LOCUST_0_12.encode(),
        LOCUST_0_12.encode("utf-16"),
        LOCUST_0_12.replace("\n", "\r\n").encode(),
        LOCUST_0_12.replace("\n", "\n\n").encode(),
    ],
    ids=["utf-8", "gbk", "byte order mark", "utf-16", "CRLF", "blank lines"],
)
def test_early_locust_is_read_in_any_encoding(tmp_path: Path, content: bytes) -> None:
    """The name is whole, and the total is no endpoint."""
    found = only(parsed(tmp_path, content))
    assert (found.name, found.requests, found.failures, found.quantiles_ms) == ("GET /查询", 10, 1, {0.5: 12})


def test_an_endpoint_without_requests_has_no_times(tmp_path: Path) -> None:
    """Zeros and N/A of a request that was never sent are no latencies."""
    head = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,50%,95%\n"
    found = only(parsed(tmp_path, head + "GET,/,0,0,0,0.0,0.0,N/A,N/A\n,Aggregated,0,0,0,0.0,0.0,N/A,N/A\n"))
    assert (found.requests, found.mean_ms, found.quantiles_ms) == (0, None, {})


def test_a_locust_page_with_numbers_is_read_and_an_old_one_is_named(tmp_path: Path) -> None:
    """The page keeps its numbers as JSON since version 2.5."""
    statistics = [
        {
            "method": "GET",
            "name": "/",
            "num_requests": 4,
            "num_failures": 1,
            "avg_response_time": 3,
            "median_response_time": 2,
        },
        {"method": None, "name": "Aggregated", "num_requests": 4, "num_failures": 1},
    ]
    times = [{"method": "GET", "name": "/", "0.95": 9, "0.5": 2}]
    arguments = {
        "requests_statistics": statistics,
        "response_time_statistics": times,
        "start_time": "2026-01-02T03:04:05Z",
        "end_time": "2026-01-02T03:04:15Z",
    }
    script = f"window.templateArgs = {json.dumps(arguments)}\n window.x = 1"
    page = f"<html><title>Locust</title><script>{script}</script></html>"
    result = parsed(tmp_path, page)
    found = only(result)
    assert (found.name, found.failures, found.quantiles_ms, result.duration_s) == ("GET /", 1, {0.5: 2, 0.95: 9}, 10)
    with pytest.raises(ResultError, match="give the CSV files"):
        parsed(tmp_path, "<html><title>Locust</title><table></table></html>")


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"", "is empty"), (b"hello\n", "begins with 'hello'"), (b"{}", "begins with"), (b"\x00\xff" * 40, "begins with")],
)
def test_what_is_no_result_is_named_with_what_perfci_reads(tmp_path: Path, content: bytes, what: str) -> None:
    """One error, and the list of formats."""
    with pytest.raises(ResultError, match=what) as caught:
        parsed(tmp_path, content)
    assert "JMeter" in caught.value.hint


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the reason of the system."""
    with pytest.raises(ResultError, match="No such file"):
        read(tmp_path / "missing.csv")


def test_type_and_name_are_the_key_of_locusts_statistics(tmp_path: Path) -> None:
    """One name asked for in two ways is two endpoints; the line of all of them is none, though it does not add up."""
    head = "Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Requests/s,50%,95%\n"
    rows = "GET,/a,10,1,5,6,1,5,9\nPOST,/a,20,2,50,60,2,50,90\n,Aggregated,99,9,7,8,9,7,9\n"
    found = {each.name: (each.requests, each.failures) for each in parsed(tmp_path, head + rows).aggregates}
    assert found == {"GET /a": (10, 1), "POST /a": (20, 2)}


@pytest.mark.parametrize(
    ("percentiles", "quantiles"),
    [
        ("50%,66%,75%,80%,90%,95%,98%,99%,100%", {0.5, 0.66, 0.75, 0.8, 0.9, 0.95, 0.98, 0.99}),  # 0.12
        ("50%,95%,99.9%,99.99%,100%", {0.5, 0.95, 0.999, 0.9999}),  # 1.0 and later
        ("50%,37%,99.995%", {0.5, 0.37, 0.99995}),  # PERCENTILES_TO_REPORT of the user
    ],
)
def test_locust_has_whatever_percentiles_it_was_asked_for(
    tmp_path: Path, percentiles: str, quantiles: set[float]
) -> None:
    """Each is read under its own share; the largest value is no quantile."""
    head = f"Type,Name,Request Count,Failure Count,Median Response Time,{percentiles}\n"
    row = "GET,/,10,1,5," + ",".join("7" for _ in percentiles.split(",")) + "\n"
    assert set(only(parsed(tmp_path, head + row)).quantiles_ms) == quantiles
