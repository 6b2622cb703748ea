"""Faults of the real demo are found by the limits that are meant to see them, in short runs; bench.faults has all."""

from pathlib import Path

import pytest

from bench.faults import FAULTS, judged, measure

SAMPLE = {fault.name: fault for fault in FAULTS if fault.name in {"error rate", "cache never hits"}}


@pytest.mark.fault
@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_found_by_its_limit(tmp_path: Path, name: str) -> None:
    """The run is a breach of that limit, which is named; without the fault it is quiet."""
    fault = SAMPLE[name]
    found = judged(measure([*fault.command, "--duration", "5s"], tmp_path / "with"), fault.metric)
    assert (found.verdict, found.breached) == ("slo breach", True)
    assert found.words.startswith(f"{fault.metric} of (all endpoints): 0/1 rounds within")
    assert not judged(measure([*fault.quiet, "--duration", "5s"], tmp_path / "without"), fault.metric).breached


@pytest.mark.fault
def test_a_soak_in_scaled_time_finds_a_leak(tmp_path: Path) -> None:
    """What four hours of the documented soak would show slowly, its smoke shows in seconds."""
    (fault,) = (fault for fault in FAULTS if fault.name == "leak")
    found = judged(measure([*fault.command, "--duration", "20s"], tmp_path), fault.metric)
    assert found.breached
    assert found.words.startswith("memory_growth of (all endpoints), important: 0/1 rounds within 10.0 %")
