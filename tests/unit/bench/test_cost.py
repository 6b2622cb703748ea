"""What is timed is the real thing; no timing is asserted here."""

import json
from pathlib import Path

import numpy as np
import pytest

from bench.cost import CASES, Cost, Sizes, measure, table, write_log
from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS
from perfci.rig.load.log import LogReader, requests_of

SMALL = Sizes(requests=4000, blocks=2, endpoints=3, runs=2, rounds=2, many=5)


def test_a_written_log_is_read_by_the_rig(tmp_path: Path) -> None:
    """Every request comes back, and all of them are measured."""
    write_log(tmp_path / "1.log", np.random.default_rng(1), requests=1000, endpoints=3)
    reader = LogReader(tmp_path / "1.log")
    reader.poll()
    requests = requests_of([reader])
    assert reader.complete
    assert (len(requests), requests.names) == (1000, ("GET /0", "GET /1", "GET /2"))
    assert registry.measure(requests, windows=[(0.0, 20.0)])[ALL_ENDPOINTS].requests == 1000


@pytest.mark.parametrize("key", ["requests", "endpoints"])
def test_a_case_is_measured(key: str, tmp_path: Path) -> None:
    """At a small size, in this process."""
    CASES[key].prepare(tmp_path, SMALL)
    cost = Cost(**json.loads(measure(key, tmp_path, SMALL, 1)))
    assert cost.ratio == cost.seconds / cost.beside_s > 0
    assert cost.peak_mb > 10
    assert CASES[key].name in table([cost])
