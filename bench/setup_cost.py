"""
Measures what the Action's set-up costs: `python -m bench.setup_cost`.

`action/setup` as a runner calls it, with the packages of its lock files from the index that this machine reaches. The
set-up keeps nothing between jobs, so there is no quicker second time. On a busy machine look at the processor seconds.
"""

import json
import os
import re
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import click

ROOT = Path(__file__).parents[1]
LIMIT_S = 5.0
LIMIT_MB = 380.0
# bash itself writes when it came to each command; from the environment it would take no PS4 where it is root.
TRACED = 'exec 9>"$1"; BASH_XTRACEFD=9; PS4="+ \\$EPOCHREALTIME "; set -x; . "$GITHUB_ACTION_PATH/action/setup"'
PHASES: Mapping[str, str] = MappingProxyType(
    {
        " -m venv ": "virtual environment",
        " -m pip install ": "pip installs uv",
        "tools/bin/uv ": "uv installs the rest",
        "cp -R": "copy perfci",
        "import locust.main": "compile and remove",
    }
)
"""What a command of the set-up contains -> what it is called in the table."""
STARTS: Mapping[str, Sequence[str]] = MappingProxyType(
    {
        "then: perfci --help": ["--help"],
        "then: perfci compare": ["compare", "."],
        "again: perfci compare": ["compare", "."],
    }
)
"""Name -> arguments of a start. The first start that imports the judge compiles it, which belongs to the price."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """One set-up: *phases* are its longer commands, *starts* the starts that follow, all in seconds."""

    phases: Mapping[str, float]
    starts: Mapping[str, float]
    seconds: float
    cpu_s: float
    mb: float


def measure(python: str, index_url: str) -> Cost:
    """Set perfci up in a new folder, and start it."""
    with tempfile.TemporaryDirectory(prefix="perfci-setup-") as name:
        output, trace = Path(name) / "output", Path(name) / "trace"
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "PERFCI_"))}
        job = {"GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(output), "RUNNER_TEMP": name}
        inputs = {"PERFCI_PYTHON": python, "PERFCI_INDEX_URL": index_url}
        began, before_s = time.monotonic(), _cpu_s()
        subprocess.run(["bash", "-c", TRACED, "-", str(trace)], env={**kept, **job, **inputs}, cwd=name, check=True)
        seconds, cpu_s = time.monotonic() - began, _cpu_s() - before_s
        made = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return Cost(
            phases=phases_of(trace.read_text()),
            mb=_megabytes(Path(made["run"]).parent),
            starts={name: _timed([made["python"], "-I", "-m", "perfci", *call]) for name, call in STARTS.items()},
            seconds=seconds,
            cpu_s=cpu_s,
        )


def phases_of(trace: str) -> dict[str, float]:
    """Seconds from each named command to the next, by name."""
    commands = [(float(at), text) for at, text in re.findall(r"^\++ (\d+\.\d+) (.*)$", trace, re.MULTILINE)]
    beside = (
        "rm ",
        "find ",
        "compileall",
        "wait",
    )  # run while the command before them does, or until what runs so ends
    ordered = sorted(
        (command for command in commands if not any(part in command[1] for part in beside)),
        key=lambda command: command[0],
    )
    found = {}
    for (at, text), (until, _) in pairwise(ordered):
        for part, name in PHASES.items():
            if part in text:
                found[name] = until - at
    return found


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _megabytes(folder: Path) -> float:
    return sum(path.lstat().st_blocks * 512 for path in folder.rglob("*")) / 1e6


def _timed(command: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, capture_output=True, check=False)  # there is nothing to compare: all is imported by then
    return time.monotonic() - began


def table(costs: Sequence[Cost]) -> str:
    """The median of every figure."""

    def rows(of: Sequence[Mapping[str, float]]) -> list[str]:
        return [f"{name:32} {statistics.median(sample[name] for sample in of):6.2f} s" for name in of[0]]

    whole = statistics.median(cost.seconds for cost in costs)
    cpu = statistics.median(cost.cpu_s for cost in costs)
    size = statistics.median(cost.mb for cost in costs)
    return "\n".join(
        [
            *rows([cost.phases for cost in costs]),
            f"{'the set-up':32} {whole:6.2f} s of {LIMIT_S:g}; {cpu:.2f} s of processor time",
            f"{'on disk':32} {size:6.0f} MB of {LIMIT_MB:g}",
            *rows([cost.starts for cost in costs]),
        ]
    )


@click.command(help=__doc__)
@click.option("--python", default="python3", show_default=True, help="The input of the same name.")
@click.option("--index-url", default="", help="The input of the same name.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures there, too.")
def main(python: str, index_url: str, repeats: int, file: Path | None) -> None:  # its help is the module's docstring
    costs = [measure(python, index_url) for _ in range(repeats)]
    click.echo(table(costs))
    if file:
        file.write_text(json.dumps([asdict(cost) for cost in costs], indent=1) + "\n")


if __name__ == "__main__":
    main()
