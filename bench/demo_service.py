"""The demo as a process of its own, with the usual test data or none."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

ROOT = Path(__file__).parents[1]
PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class Service:
    """A running service: its address and the number of its process."""

    url: str
    pid: int


@contextmanager
def serving(environment: Mapping[str, str], *, filled: bool = True) -> Iterator[Service]:
    """The demo on a free port with these variables beside those of this process; ended when the block is."""
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "DEMO_TEST_DATA": "1", **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout is not None else ""
            url = line.removeprefix("listening on ").strip()
            if filled:
                requests.post(f"{url}/test-data", json={"rng_seed": 7}, timeout=PATIENCE_S).raise_for_status()
            yield Service(url=url, pid=process.pid)
        finally:
            process.terminate()
