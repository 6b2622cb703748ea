"""What several integration tests start from."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.judging import Judge, Judging
from tests.fakes.measured import a_change
from tests.fakes.shell import Perfci


@pytest.fixture
def judging(perfci: Perfci, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Judge]:
    """Makes the job for a change that is described as in `a_change`."""
    started: list[Judging] = []

    def make(name: str = "job", **change: Any) -> Judging:
        job = Judging(perfci, monkeypatch, tmp_path / name, a_change(tmp_path / name / "shop", **change))
        job.api.__enter__()
        started.append(job)
        return job

    yield make
    for job in started:
        job.api.__exit__(None, None, None)
