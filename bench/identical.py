"""
How often the smokes call identical sides a regression: `python -m bench.identical --output DIR`.

The smoke of each profile that is measured side by side runs with this checkout as both sides. Every red is a false
alarm. The runs stay in DIR, and further jobs are drawn from their blocks: the turns of a job from the turns of all
runs, its load from their load, no block twice, and which side is the candidate by chance. Each job is judged block by
block as `perfci run` would have judged it, with the policy of perfci.toml, but without the counts of its census.

A call goes on where the last one with the same DIR ended.
"""

import json
import os
import shutil
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Self

import click
import numpy as np
from scipy import stats

from perfci.config import Against, Config, read
from perfci.judge import judge
from perfci.model import GatePolicy, Reference, Round, RoundKind, Run, Side, Verdict
from perfci.pipeline.every import SMOKE
from perfci.pipeline.looking import Looking
from perfci.pipeline.plan import Overrides, Plan, plan_of
from perfci.pipeline.policy import policy_of
from perfci.pipeline.subject import subject_of
from perfci.store import RunFolder, load

ROOT = Path(__file__).parents[1]
CONFIG = read(ROOT / "perfci.toml")
RESAMPLED = "resampled.json"
RED = (Verdict.REGRESSION, Verdict.SLO_BREACH)
SHOWN = (*RED, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.INVALID)

Pair = Mapping[Side, Round]
"""The rounds of both sides in one block, of one kind."""


def smokes(config: Config) -> list[str]:
    """The smokes that are compared with a base, as PROFILE:SCENARIO."""
    return [
        f"{profile}:{name}"
        for profile, table in config.profiles.items()
        for name, scenario in table.scenarios.items()
        if (name == SMOKE or name.endswith(f"-{SMOKE}")) and scenario.against is not Against.LIMITS
    ]


@dataclass(frozen=True, slots=True)
class Pool:
    """What the jobs of one smoke are drawn from."""

    run: Run  # the first recorded one: profile, fingerprint and the plan of its looks
    pairs: Mapping[RoundKind, Sequence[Pair]]

    @classmethod
    def of(cls, runs: Sequence[Run]) -> Self:
        """The blocks of *runs* that have a round of each side."""
        pairs: dict[RoundKind, list[Pair]] = {RoundKind.DUET: [], RoundKind.LOAD: []}
        for run in runs:
            found: dict[tuple[RoundKind, int], dict[Side, Round]] = {}
            for measured in run.rounds:
                found.setdefault((measured.kind, measured.block), {})[measured.side] = measured
            for (kind, _), pair in sorted(found.items()):
                if len(pair) == len(Side):
                    pairs[kind].append(pair)
        return cls(runs[0], pairs)

    def lacks(self, plan: Plan) -> str:
        """Why no job of *plan* can be drawn; empty where one can."""
        blocks = plan.paired.blocks.most
        wanted = {
            RoundKind.DUET: blocks if plan.paired.duet else 0,
            RoundKind.LOAD: sum(map(plan.paired.loads, range(1, blocks + 1))),
        }
        short = [
            f"{len(self.pairs[kind])} of {count} blocks of {kind.value}"
            for kind, count in wanted.items()
            if len(self.pairs[kind]) < count
        ]
        return ", ".join(short)


def draw(pairs: Sequence[Pair], rng: np.random.Generator) -> list[Pair]:
    """The *pairs* in a random order, the sides of each swapped or not."""
    drawn: list[Pair] = []
    for place, swapped in zip(rng.permutation(len(pairs)), rng.integers(2, size=len(pairs)), strict=True):
        pair = pairs[place]
        order = (Side.CANDIDATE, Side.BASE) if swapped else (Side.BASE, Side.CANDIDATE)
        drawn.append({side: replace(pair[was], side=side) for side, was in zip(Side, order, strict=True)})
    return drawn


def resample(pool: Pool, plan: Plan, policy: GatePolicy, rng: np.random.Generator) -> Verdict:
    """The verdict on one job that is drawn from *pool*, and ends where `perfci run` would have ended it."""
    drawn = {kind: iter(draw(pairs, rng)) for kind, pairs in pool.pairs.items()}
    looking = Looking(plan=plan, policy=policy, clock=lambda: 0.0)
    run = replace(pool.run, rounds=(), census={}, committed={}, incidents=(), complete=True)

    def measure(run: Run, kind: RoundKind, block: int) -> Run:
        added = tuple(replace(measured, block=block) for measured in next(drawn[kind]).values())
        run = replace(run, rounds=(*run.rounds, *added))
        looking.look(run, block)
        return run

    for block in range(1, plan.paired.blocks.most + 1):
        if looking.turns(block):
            run = measure(run, RoundKind.DUET, block)
        if looking.load(block) and not looking.red:
            run = measure(run, RoundKind.LOAD, block)
        if looking.over(block):
            break
    subject = subject_of(run, reference=Reference.REF, name="itself", base_commit="")
    standing = looking.standing if run.looks is not None else None
    return judge(run, baseline=None, policy=policy, subject=subject, standing=standing).verdict


def record(name: str, folder: Path) -> dict[str, Any]:
    """The result of one real run of the smoke *name* on identical sides; what *folder* has is not measured again."""
    file = RunFolder(folder).result
    if not file.is_file():
        shutil.rmtree(folder, ignore_errors=True)  # of a call that was interrupted
        command = [sys.executable, "-m", "perfci", "run", name, "--against", "ref", "--base", ".", "--quiet"]
        done = subprocess.run(
            [*command, "--output", str(folder)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if not file.is_file():
            raise click.ClickException(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@cache
def _pool(folders: tuple[Path, ...]) -> Pool:
    return Pool.of([load(folder) for folder in folders])


def _verdicts(name: str, folders: tuple[Path, ...], trials: range, rng_seed: int) -> Counter[str]:
    """Verdicts on the jobs of these numbers; the same for a number, whichever process draws it."""
    profile, _, scenario = name.partition(":")
    pool, plan = _pool(folders), plan_of(CONFIG, name, Overrides(), root=ROOT)
    policy = policy_of(CONFIG.gate, profile, scenario, alerts=CONFIG.monitor.alert)
    where = zlib.crc32(name.encode())
    return Counter(
        resample(pool, plan, policy, np.random.default_rng([rng_seed, where, trial])).value for trial in trials
    )


def verdicts(name: str, folders: tuple[Path, ...], *, trials: int, rng_seed: int, jobs: int) -> Counter[str]:
    """Verdicts on *trials* jobs drawn from the runs in *folders*, on so many processes."""
    parts = [range(trials)[part::jobs] for part in range(jobs)]
    if jobs == 1:
        return _verdicts(name, folders, parts[0], rng_seed)
    with ProcessPoolExecutor(jobs) as processes:
        found = processes.map(_verdicts, *zip(*((name, folders, part, rng_seed) for part in parts), strict=True))
        return sum(found, Counter())


def row(name: str, real: Counter[str], blocks: str, resampled: Counter[str]) -> str:
    """A line of the table; empty counts where nothing was drawn."""
    trials = resampled.total()
    bound = f"{100 * stats.binomtest(_red(resampled), trials).proportion_ci().high:.2f} %" if trials else ""
    return f"| `{name}` | {_counted(real)} | {blocks} | {_counted(resampled)} | {bound} |"


def _red(counts: Counter[str]) -> int:
    return sum(counts[verdict.value] for verdict in RED)


def _counted(counts: Counter[str]) -> str:
    if not counts.total():
        return ""
    parts = ", ".join(f"{counts[verdict.value]} {verdict.value}" for verdict in SHOWN if counts[verdict.value])
    return f"{_red(counts)} red of {counts.total()} ({parts})"


@click.command()
@click.option("--only", multiple=True, type=click.Choice(smokes(CONFIG)), help="This smoke; several times.")
@click.option("--runs", default=4, show_default=True, type=click.IntRange(1), help="Real runs of each smoke.")
@click.option("--trials", default=1000, show_default=True, type=click.IntRange(0), help="Jobs drawn from their blocks.")
@click.option("--rng-seed", default=1, show_default=True)
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option(
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the runs go; those that are there are read.",
)
def main(*, only: Sequence[str], runs: int, trials: int, rng_seed: int, jobs: int, output: Path) -> None:
    """Print, for each smoke, the verdicts on real runs of identical sides and on jobs drawn from their blocks."""
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    file = output / RESAMPLED
    kept: dict[str, dict[str, int]] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    click.echo("| Smoke | Real runs | Blocks | Drawn | Red at most |\n| :--- | :--- | :--- | :--- | ---: |")
    reds = 0
    for name in only or smokes(CONFIG):
        folders = tuple(output / f"{name.replace(':', '-')}-{number}" for number in range(1, runs + 1))
        real = Counter(record(name, folder)["verdict"] for folder in folders)
        pool = _pool(folders)
        drawn: Counter[str] = Counter()
        blocks = " + ".join(f"{len(pairs)} {kind.value}" for kind, pairs in pool.pairs.items())
        if lacks := pool.lacks(plan_of(CONFIG, name, Overrides(), root=ROOT)):
            blocks = f"too few: {lacks}"
        elif trials:
            key = f"{name} {runs} {trials} {rng_seed}"
            if key not in kept:
                kept[key] = dict(verdicts(name, folders, trials=trials, rng_seed=rng_seed, jobs=jobs))
                file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
            drawn = Counter(kept[key])
        click.echo(row(name, real, blocks, drawn))
        reds += _red(real) + _red(drawn)
    if reds:
        raise SystemExit(f"{reds} false alarms")


if __name__ == "__main__":
    main()
