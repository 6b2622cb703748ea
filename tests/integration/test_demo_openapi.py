"""The demo's OpenAPI document and its answers: schemathesis sends what fits the document, and what does not."""

import os
import subprocess
import sys
from pathlib import Path

from tests.demo_process import demo_process, post

EXAMPLES = os.environ.get("DEMO_OPENAPI_EXAMPLES", "3")
"""Of each operation; more find more and take longer: `DEMO_OPENAPI_EXAMPLES=100`."""


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    """Every answer has a documented status and shape, valid requests are taken and invalid ones refused."""
    with demo_process({"DEMO_RATE_LIMIT": "off"}) as url:
        credentials = {"email": "admin01@example.test", "password": "perf-test"}
        token = post(f"{url}/auth/login", credentials)["access_token"]
        done = subprocess.run(
            [
                *(Path(sys.executable).parent / "schemathesis", "run", f"{url}/openapi.json"),
                *("--header", f"Authorization: Bearer {token}", "--max-examples", EXAMPLES, "--no-color"),
                *("--exclude-path-regex", "^/(test-data|auth/logout)$", "--seed", "1", "--workers", "1"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert "Tested: 79" in done.stdout, done.stdout[-8000:]
