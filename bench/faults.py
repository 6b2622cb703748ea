"""
Each injected fault of the demo, and the limit that is meant to see it: `python -m bench.faults`.

Every fault is a run against limits of one scenario in the configuration of this repository, embedded, with
`DEMO_FAULTS` or `DEMO_SLOW` for the service; the same scenario without it says whether the limit is quiet.
"""

import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault, and where it has to be found."""

    name: str
    setting: str  # a variable of the service: NAME=VALUE
    scenario: str
    metric: str  # of the limit that is meant to see it
    options: tuple[str, ...] = ()  # of `perfci run`

    @property
    def quiet(self) -> tuple[str, ...]:
        """The command that measures the same without the fault, without the name of the program."""
        return "run", self.scenario, "--against", "limits", *self.options

    @property
    def command(self) -> tuple[str, ...]:
        """The command that measures it."""
        return *self.quiet, "--candidate-env", self.setting


# Where nothing waits, one process of Python is limited by its core, and a lock or a small pool changes nothing.
WAITING = ("--environment", "waiting", "--users", "60")

FAULTS = (
    Fault("slowdown", "DEMO_SLOW=GET /leads=+700ms", "crm:baseline-smoke", "p95", ("--duration", "20s")),
    Fault("error rate", "DEMO_FAULTS=errors=0.05", "contact-center:crm-smoke", "failure_rate"),
    Fault("leak", "DEMO_FAULTS=leak=64", "saas:soak-smoke", "memory_growth"),
    Fault("lost connections", "DEMO_FAULTS=lost-connections=400", "crm:sustained-smoke", "connection_growth"),
    Fault("creep", "DEMO_FAULTS=creep=500", "tickets:endurance-smoke", "latency_drift"),
    Fault("lock", "DEMO_FAULTS=lock", "tickets:normal-smoke", "mean", WAITING),
    Fault("small pool", "DEMO_FAULTS=small-pool", "tickets:normal-smoke", "mean", (*WAITING[:-1], "120")),
    Fault(
        "no room for more users",
        "DEMO_FAULTS=lock",
        "tickets:stress",
        "breaking_point",
        ("--environment", "waiting", "--users", "240", "--duration", "100s"),
    ),
    Fault(
        "not there for a while",
        "DEMO_FAULTS=crash=400",
        "saas:baseline",
        "availability",
        ("--users", "10", "--duration", "20s"),
    ),
    Fault("crash", "DEMO_FAULTS=crash=500", "tickets:normal-smoke", "restarts", WAITING),
    Fault("cache never hits", "DEMO_FAULTS=no-cache", "crm:dashboard-only-smoke", "cache_hit_rate"),
    Fault("cache stops hitting", "DEMO_FAULTS=cache-stops=2500", "crm:dashboard-only-smoke", "cache_hit_loss"),
    Fault("spike without recovery", "DEMO_FAULTS=no-recovery=30", "tickets:spike-smoke", "recovery"),
    Fault(
        "rate limit not kept",
        "DEMO_FAULTS=no-rate-limit",
        "contact-center:rate-limit-smoke",
        "requests_per_user",
        ("--environment", "rate-limited"),
    ),
    Fault("dropped frames", "DEMO_FAULTS=dropped-frames=0.1", "contact-center:websocket-smoke", "failure_rate"),
)
"""In the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of the limits on one metric in one run."""

    verdict: str
    breached: bool
    words: str  # of the breached limit, else of the first on that metric


def judged(result: Mapping[str, Any], metric: str) -> Judged:
    """Read the limits on *metric* in a `result.json`."""
    own = [slo for slo in result.get("slos", []) if slo["metric"] == metric]
    broken = [slo for slo in own if slo["rounds"] and not slo["held"]]
    shown = [f"{_of(slo)}: {slo['reason']}" for slo in broken or own]
    return Judged(result["verdict"], bool(broken), shown[0] if shown else f"no limit on {metric}")


def _of(slo: Mapping[str, Any]) -> str:
    warns = "" if slo["importance"] in {"critical", "high"} else f", {slo['importance']}"
    return f"{slo['metric']} of {slo['endpoint']}{warns}"


def measure(arguments: Sequence[str], folder: Path) -> dict[str, Any]:
    """The result of one run; one that is there already is not measured again."""
    file = folder / "result.json"
    if not file.is_file():
        command = [sys.executable, "-m", "perfci", *arguments, "--quiet", "--output", str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if not file.is_file():
            raise click.ClickException(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def row(fault: Fault, folder: Path) -> tuple[str, bool]:
    """The row of a fault, and whether it was found by its limit, which was quiet without it."""
    name = fault.name.replace(" ", "-")
    found = judged(measure(fault.command, folder / name), fault.metric)
    without = "without-" + re.sub(r"\W+", "-", " ".join(fault.quiet[1:]))  # the same for faults of one scenario
    quiet = judged(measure(fault.quiet, folder / without), fault.metric)
    right = found.breached and not quiet.breached
    cells = (
        fault.name,
        f"`perfci {shlex.join(fault.command)}`",
        f"{'found' if found.breached else '**not found**'}, {found.verdict}: {found.words}",
        f"{'**red**' if quiet.breached else 'quiet'}, {quiet.verdict}: {quiet.words}",
    )
    return f"| {' | '.join(' '.join(cell.replace('|', '/').split()) for cell in cells)} |", right


@click.command()
@click.option("--only", multiple=True, type=click.Choice([fault.name for fault in FAULTS]), help="This fault alone.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the runs go; those that are there are read.")
def main(only: tuple[str, ...], output: Path | None) -> None:
    """Print a row for each fault: the limit that found it, in its words, and the same limit without the fault."""
    click.echo("| Fault | Command | With it | Without |\n| :--- | :--- | :--- | :--- |")
    with tempfile.TemporaryDirectory(prefix="faults-") as scratch:
        chosen = [fault for fault in FAULTS if not only or fault.name in only]
        wrong = []
        for fault in chosen:
            text, right = row(fault, output or Path(scratch))
            click.echo(text)
            wrong += [] if right else [fault.name]
    if wrong:
        raise SystemExit(f"not found, or not quiet without: {', '.join(wrong)}")


if __name__ == "__main__":
    main()
