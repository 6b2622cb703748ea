"""Truncated and damaged files: either a result whose numbers can be used, or one error; never a traceback."""

import json
from collections.abc import Iterator
from math import isfinite
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci.errors import PerfciError, ResultError
from perfci.importers import FORMATS, Content, ForeignResult, read
from perfci.model import Verdict
from perfci.pipeline.compare import compare

RECORDED = Path(__file__).parents[2] / "data" / "foreign"
FILES = sorted(RECORDED.iterdir())
LINES = {"k6.json", "vegeta-results.json"}
"""Files with a JSON document in each line."""


def usable(result: ForeignResult) -> bool:
    """Whether each number is one that a tool can measure."""
    numbers = list(result.requests.latency_ms) if result.requests is not None else []
    for each in result.aggregates:
        numbers += [*each.quantiles_ms.values(), each.requests or 0, each.failures or 0]
        numbers += [(each.requests - each.failures) if each.requests is not None and each.failures is not None else 0]
        numbers += [value or 0 for value in (each.mean_ms, each.min_ms, each.max_ms, each.throughput)]
    shares = [share for each in result.aggregates for share in each.quantiles_ms]
    return all(isfinite(number) and number >= 0 for number in numbers) and all(0 <= share <= 1 for share in shares)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_file_is_read_or_refused(tmp_path: Path, file: Path, data: st.DataObject) -> None:
    """Cut off anywhere, or with a few bytes replaced."""
    content = bytearray(file.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    damaged = tmp_path / "damaged"
    damaged.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    try:
        _, result = read(damaged)
    except ResultError:
        return
    assert usable(result)


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_no_format_trips_over_recognising_anything(data: bytes) -> None:
    """Recognition answers yes or no."""
    for found in FORMATS:
        assert found.recognises(Content(data)) in {True, False}


def test_deeply_nested_json_is_no_known_file(tmp_path: Path) -> None:
    """Python gives up on it, and perfci says so."""
    file = tmp_path / "deep.json"
    file.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(ResultError, match="no file that perfci knows"):
        read(file)


VALUES: st.SearchStrategy[object] = st.sampled_from(
    [None, "", "x", -1, 0, 1e309, 1e300, 5e-324, 10**400, float("nan"), [], [[]], {}, True, "1e999", "9" * 5000, "\x00"]
)


def places(document: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to each value of a JSON document, those of its parts included."""
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in parts:
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("file", [each for each in FILES if each.suffix == ".json"], ids=lambda file: file.name)
@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_value_in_any_place_of_a_document_is_read_or_refused(
    tmp_path: Path, file: Path, data: st.DataObject
) -> None:
    """And what is read can be compared with the file as it was; one file a side is never a regression."""
    text = file.read_text(encoding="utf-8")
    *before, last_line = text.splitlines() if file.name in LINES else [text]
    document = json.loads(last_line)
    *path, last = data.draw(st.sampled_from(list(places(document))))
    within = document
    for key in path:
        within = within[key]
    within[last] = data.draw(VALUES)
    damaged = tmp_path / "damaged"
    damaged.write_text("\n".join([*before, json.dumps(document)]), encoding="utf-8")
    try:
        _, result = read(damaged)
        assert usable(result)
        assert compare(file, damaged, config_file=tmp_path / "none.toml").outcome.verdict is not Verdict.REGRESSION
    except PerfciError:
        return


@pytest.mark.parametrize(
    "text",
    [
        '{"results": [7]}',
        '{"results": ["command mean"]}',
        "       Value(ms)    Percentile    TotalCount    1/(1-Percentile)\n" + "9" * 400 + " 0.5 60 2.0\n",
        "       Value(ms)    Percentile    TotalCount    1/(1-Percentile)\n1.0 0.5 " + "9" * 400 + " 2.0\n",
        '{"metrics": {"http_req_duration": {"avg": -1, "med": 5}, "http_reqs": {"count": 10}}}',
        '{"metrics": {"http_req_duration": {"med": 5}, "http_reqs": {"count": 10}, "http_req_failed": {"passes": 11}}}',
        '{"latencies": {"50th": 5, "500th": 6}, "status_codes": {}, "requests": 10}',
        "1767323045000000000,200,13000000,0,2,,b2s=,x,0,GET,http://a/\rb\n",
    ],
)
def test_an_impossible_number_is_refused(tmp_path: Path, text: str) -> None:
    """Negative and infinite times, more failures than requests, a quantile of 500 %, no object where one is due."""
    file = tmp_path / "file"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"cannot be read|no file that perfci knows"):
        read(file)
