"""The quick start, run as it is written."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lines() -> list[str]:
    """Every line of the shell blocks, but for the installation, which the tests run in."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/quickstart.md").read_text(), re.DOTALL)
    shown = [line for block in blocks for line in block.splitlines()]
    assert shown[:2] == ["make .venv/.ready", 'export PATH="$PWD/.venv/bin:$PATH"']
    return shown[2:]


@pytest.mark.alone  # limits on times hold or break
def test_the_quick_start_does_what_it_says(tmp_path: Path) -> None:
    """A limit holds, then breaks where the service is slower: the exit codes are those of the text, on shorter runs."""
    binaries = (ROOT / ".venv/bin").as_posix()
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}"}
    found = {}
    for number, line in enumerate(lines()):
        shorter = f" --warmup 1s --duration 4s --output {tmp_path / str(number)}" if " run " in line else ""
        done = subprocess.run(
            ["bash", "-c", line + shorter],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        found[line] = (done.returncode, done.stdout)
    doctor, held, broken = found.values()
    assert doctor[0] == 0, doctor[1]
    assert held[0] == 0, held[1]
    assert broken[0] == 10, broken[1]
    assert "mean" in broken[1]
    assert (tmp_path / "1" / "report.html").is_file()
