"""Truncated and damaged files: either a result whose numbers can be used, or one error; never a traceback."""

from math import isfinite
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci.errors import ResultError
from perfci.importers import FORMATS, Content, ForeignResult, read

RECORDED = Path(__file__).parents[2] / "data" / "foreign"
FILES = sorted(RECORDED.iterdir())


def usable(result: ForeignResult) -> bool:
    """Whether all numbers are finite, and no count is negative."""
    numbers = list(result.requests.latency_ms) if result.requests is not None else []
    for aggregate in result.aggregates:
        numbers += [
            value
            for value in (aggregate.mean_ms, aggregate.min_ms, aggregate.max_ms, aggregate.throughput)
            if value is not None
        ]
        numbers += [*aggregate.quantiles_ms.values(), aggregate.requests or 0, aggregate.failures or 0]
    return all(isfinite(number) for number in numbers)


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
