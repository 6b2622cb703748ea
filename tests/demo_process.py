"""The demo service as a process of its own, with its test data."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@contextmanager
def demo_process(environment: Mapping[str, str], counts: Mapping[str, int] | None = None) -> Iterator[str]:
    """A seeded service; its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"DEMO_TEST_DATA": "1", **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("listening on ").strip()
            post(f"{url}/test-data", {"rng_seed": 1} | ({"counts": dict(counts)} if counts else {}))
            yield url
        finally:
            process.terminate()


def post(url: str, order: object) -> Any:
    """The JSON of the answer."""
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(order).encode(), headers), timeout=30) as answer:
        return json.load(answer)
