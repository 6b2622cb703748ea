"""The table of faults and limits: what counts as found, and that each fault has a limit that could see it."""

from pathlib import Path

import pytest

from bench.faults import FAULTS, Fault, judged
from demo.common.faults import parse_faults
from perfci.config import read
from perfci.judge.survival import RESTARTS
from perfci.pipeline.policy import policy_of

CONFIG = read(Path(__file__).parents[3] / "perfci.toml")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault_has_a_limit_in_its_scenario(fault: Fault) -> None:
    """A limit that does not exist finds nothing; that the service lives needs none."""
    profile, scenario, *_ = CONFIG.find(fault.scenario)
    metrics = {slo.metric for slo in policy_of(CONFIG.gate, profile, scenario).slos}
    assert fault.metric in metrics | {RESTARTS.name}
    variable, _, value = fault.setting.partition("=")
    assert variable == "DEMO_SLOW" or parse_faults(value)


def _slo(metric: str, *, held: bool, rounds: int = 1, importance: str = "critical") -> dict[str, object]:
    reason = "kept" if held else "not kept"
    return {
        "metric": metric,
        "endpoint": "GET /",
        "held": held,
        "rounds": rounds,
        "reason": reason,
        "importance": importance,
    }


def test_only_a_breach_of_the_limit_that_is_meant_is_found() -> None:
    """Not another limit, and not one that could not be held; the words are those of the breach."""
    slos = [_slo("p95", held=False), _slo("mean", held=True), _slo("mean", held=False, importance="important")]
    found = judged({"verdict": "slo breach", "slos": slos}, "mean")
    assert (found.breached, found.words) == (True, "mean of GET /, important: not kept")
    assert not judged({"verdict": "slo breach", "slos": slos[:2]}, "mean").breached
    assert not judged({"verdict": "inconclusive", "slos": [_slo("mean", held=False, rounds=0)]}, "mean").breached
    assert judged({"verdict": "pass", "slos": []}, "mean").words == "no limit on mean"
