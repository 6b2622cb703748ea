"""Faults of the real demo are found by the limits that are meant to see them, in short runs; bench.faults has all."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.faults import FAULTS, ROOT, judged, measure
from tests.fakes.shell import WITHOUT_CHARTS

SAMPLE = {fault.name: fault for fault in FAULTS if fault.name in {"error rate", "cache never hits"}}
SHORT = ("--warmup", "1s", "--duration", "5s")


def _measured(arguments: Sequence[str], folder: Path) -> dict[str, Any]:
    """The result of a run whose report has no charts."""
    command = [sys.executable, "-I", *WITHOUT_CHARTS, *arguments, "--quiet", "--output", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)  # its exit code is a verdict's
    return measure(arguments, folder)  # what is there is not measured again


@pytest.mark.fault
@pytest.mark.parametrize("name", SAMPLE)
def test_a_fault_is_found_by_its_limit(tmp_path: Path, name: str) -> None:
    """The limit is breached, and named; without the fault it is quiet."""
    fault = SAMPLE[name]
    found = judged(_measured([*fault.command, *SHORT], tmp_path / "with"), fault.metric)
    assert found.breached
    assert found.verdict in {"slo breach", "invalid"}  # the latter where the machine was too busy to measure times
    assert found.words.startswith(f"{fault.metric} of (all endpoints): 0/1 rounds within")
    assert not judged(_measured([*fault.quiet, *SHORT], tmp_path / "without"), fault.metric).breached


@pytest.mark.fault
def test_a_soak_in_scaled_time_finds_a_leak(tmp_path: Path) -> None:
    """What four hours of the documented soak would show slowly, its smoke shows in seconds."""
    (fault,) = (fault for fault in FAULTS if fault.name == "leak")
    arguments = [*fault.quiet, "--candidate-env", "DEMO_FAULTS=leak=256", "--duration", "14s"]
    found = judged(_measured(arguments, tmp_path), fault.metric)
    assert found.breached
    assert found.words.startswith("memory_growth of (all endpoints), important: 0/1 rounds within 10.0 %")
