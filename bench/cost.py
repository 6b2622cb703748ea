"""
Measures what judging costs: `python -m bench.cost`.

Seconds are this machine's and tell little; the ratio to reading the same bytes, or to importing the same libraries,
holds on any. Each case runs in a process of its own, so that its memory is its own; the best of several times counts.
"""

import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from types import MappingProxyType

import click
import numpy as np

from bench.jobs import Plan, World, job
from bench.machines import subject
from perfci import store
from perfci.cli import COLLECT_AFTER
from perfci.judge import judge
from perfci.judge.policy import DEFAULT
from perfci.metrics import registry
from perfci.model import Baseline, Round, Run, Side
from perfci.rig.load.log import COLUMNS, MAGIC, LogReader, requests_of

LIBRARIES = frozenset(
    {
        "numpy",
        "pandas",
        "scipy",
        "pydantic",
        "click",
        "rich",
        "jinja2",
        "requests",
        "urllib3",
        "psutil",
        "prometheus_client",
        "tenacity",
        "github",
    }
)
ROUND_S = 20

Work = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The size of the judged runs."""

    requests: int = 10_000_000  # of both sides
    blocks: int = 8
    endpoints: int = 20
    runs: int = 20
    rounds: int = 4  # of each of them
    many: int = 1000  # their endpoints


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Something to time: *prepare* writes its files once, *ready* returns the work that is timed."""

    name: str
    prepare: Callable[[Path, Sizes], None]
    ready: Callable[[Path, Sizes], Work]
    beside: Callable[[Path, Sizes], Work]
    beside_name: str
    limit_s: float
    limit_mb: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The measured cost of a case."""

    case: str
    seconds: float
    limit_s: float
    beside: str
    beside_s: float
    peak_mb: float  # of the process, libraries and all
    limit_mb: float | None

    @property
    def ratio(self) -> float:
        """The cost relative to the unavoidable part."""
        return self.seconds / self.beside_s


def write_log(path: Path, rng: np.random.Generator, *, requests: int, endpoints: int) -> None:
    """Write a round's log as a generator does, in one chunk of rows per second."""
    chunks = [(b"N", json.dumps([[f"GET /{number}"] * 2 for number in range(endpoints)]).encode())]
    for second, count in enumerate(np.diff(np.linspace(0, requests, ROUND_S + 1).astype(int))):
        columns = (
            np.sort(second + rng.random(count)),
            rng.lognormal(3.0, 0.5, count),
            rng.integers(0, endpoints, count),
            rng.random(count) < 0.001,
            np.full(count, 200),
            np.full(count, 1024),
            np.zeros(count),  # nobody looked at the headers
            np.zeros(count),  # of no user class
        )
        typed = (np.asarray(column, dtype=code).tobytes() for code, column in zip(COLUMNS, columns, strict=True))
        chunks.append((b"R", int(count).to_bytes(4, "little") + b"".join(typed)))
    chunks.append((b"Z", b""))
    path.write_bytes(MAGIC + b"".join(kind + len(data).to_bytes(4, "little") + data for kind, data in chunks))


def _prepare_logs(folder: Path, sizes: Sizes) -> None:
    rng = np.random.default_rng(1)
    for side, block in product(Side, range(1, sizes.blocks + 1)):
        count = sizes.requests // (2 * sizes.blocks)
        write_log(folder / f"{side}-{block}.log", rng, requests=count, endpoints=sizes.endpoints)


def _judge_logs(folder: Path, sizes: Sizes) -> Work:
    """Judge the requests of both sides, with the arrays of one round in memory at a time."""
    plan = Plan(blocks=sizes.blocks)
    run = job(World(endpoints=sizes.endpoints), plan, np.zeros(sizes.endpoints), np.random.default_rng(1), number=0)

    def work() -> None:
        rounds = tuple(_measured(round_, folder / f"{round_.side}-{round_.block}.log") for round_ in run.rounds)
        outcome = judge(replace(run, rounds=rounds), baseline=None, policy=DEFAULT, subject=subject(plan))
        assert len(outcome.decisions) > sizes.endpoints

    return work


def _measured(round_: Round, path: Path) -> Round:
    reader = LogReader(path)
    reader.poll()
    assert reader.complete
    return replace(round_, endpoints=registry.measure(requests_of([reader]), windows=[(0.0, round_.duration_s)]))


def _prepare_runs(folder: Path, sizes: Sizes) -> None:
    world, plan, rng = (
        World(endpoints=sizes.many),
        Plan(stored=sizes.runs, blocks=sizes.rounds),
        np.random.default_rng(1),
    )
    for number in range(sizes.runs + 1):
        store.save(job(world, plan, np.zeros(sizes.many), rng, number=number), folder / f"{number:02d}.json")


def _loaded(folder: Path) -> tuple[Run, Baseline]:
    run, *others = (store.load(path) for path in sorted(folder.glob("*.json")))
    return run, Baseline(location="", runs=tuple(others))


def _judge_runs(folder: Path, sizes: Sizes) -> Work:
    run, baseline = _loaded(folder)
    what = subject(Plan(stored=sizes.runs, blocks=sizes.rounds))

    def work() -> None:
        outcome = judge(run, baseline=baseline, policy=DEFAULT, subject=what)
        assert len(outcome.decisions) > sizes.many

    return work


def _prepare_two(folder: Path, sizes: Sizes) -> None:
    world, plan, rng = World(endpoints=sizes.endpoints), Plan(stored=1, blocks=sizes.blocks), np.random.default_rng(1)
    for number in range(2):
        store.save(job(world, plan, np.zeros(sizes.endpoints), rng, number=number), folder / f"{number}.json")


def _compare(folder: Path, _: Sizes) -> Work:
    return partial(_process, "-m", "perfci", "compare", *_files(folder), cwd=folder)


def _import(folder: Path, _: Sizes) -> Work:
    """Import all libraries of a comparison."""
    output = _process("-X", "importtime", "-m", "perfci", "compare", *_files(folder), cwd=folder).stderr
    modules = [line.rpartition("|")[2].strip() for line in output.splitlines() if line.startswith("import time:")]
    wanted = [name for name in modules if name.partition(".")[0] in LIBRARIES]
    script = "import contextlib, importlib\n" + "".join(
        f"with contextlib.suppress(ImportError): importlib.import_module({name!r})\n" for name in wanted
    )
    return partial(_process, "-c", script, cwd=folder)


def _read(folder: Path, _: Sizes) -> Work:
    def work() -> None:
        for name in _files(folder):
            Path(name).read_bytes()

    return work


def _files(folder: Path) -> list[str]:
    return sorted(str(path) for path in folder.iterdir())


def _process(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 10}, done.stderr
    return done


CASES: Mapping[str, Case] = MappingProxyType(
    {
        "requests": Case(
            name="judge 10 million requests",
            prepare=_prepare_logs,
            ready=_judge_logs,
            beside=_read,
            beside_name="reading the same bytes",
            limit_s=2.0,
            limit_mb=400.0,
        ),
        "endpoints": Case(
            name="judge 1,000 endpoints against 20 runs",
            prepare=_prepare_runs,
            ready=_judge_runs,
            beside=_read,
            beside_name="reading the same bytes",
            limit_s=2.0,
        ),
        "compare": Case(
            name="perfci compare, two runs of 20 endpoints",
            prepare=_prepare_two,
            ready=_compare,
            beside=_import,
            beside_name="importing the same libraries",
            limit_s=0.8,
        ),
    }
)


def cost(key: str, sizes: Sizes, *, repeats: int) -> Cost:
    """Prepare one case, and measure it in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        CASES[key].prepare(Path(name), sizes)
        call = f"measure({key!r}, Path({name!r}), {sizes!r}, {repeats})"
        script = f"from pathlib import Path; from bench.cost import Sizes, measure; print({call})"
        output = _process("-c", script, cwd=Path(__file__).parents[1]).stdout
        return Cost(**json.loads(output))


def measure(key: str, folder: Path, sizes: Sizes, repeats: int) -> str:
    """Measure one case in this process, as the program would run it; its cost as JSON."""
    gc.set_threshold(COLLECT_AFTER)
    case = CASES[key]
    seconds = _best(case.ready(folder, sizes), repeats)
    beside_s = _best(case.beside(folder, sizes), repeats)
    cost = Cost(
        case=case.name,
        seconds=seconds,
        limit_s=case.limit_s,
        beside=case.beside_name,
        beside_s=beside_s,
        peak_mb=_peak_mb(),
        limit_mb=case.limit_mb,
    )
    return json.dumps(asdict(cost))


def _best(work: Work, repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def _peak_mb() -> float:
    """Peak memory of this process (Linux)."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6


def table(costs: Sequence[Cost]) -> str:
    """One line per case."""
    head = f"{'':40} {'seconds':>8} {'limit':>6} {'ratio':>7} {'MB':>5} {'limit':>6}"
    return "\n".join([head, *map(_row, costs)])


def _row(cost: Cost) -> str:
    most = f"{cost.limit_mb:6.0f}" if cost.limit_mb else " " * 6
    return (
        f"{cost.case:40} {cost.seconds:8.2f} {cost.limit_s:6.1f} {cost.ratio:7.1f} {cost.peak_mb:5.0f} {most}"
        f"  x {cost.beside} ({cost.beside_s:.3f} s)"
    )


@click.command(help=__doc__)
@click.option("--only", type=click.Choice(list(CASES)), multiple=True, help="Leave the other cases out.")
@click.option("--repeats", default=5, show_default=True)
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the figures there, too.")
def main(only: tuple[str, ...], repeats: int, file: Path | None) -> None:  # its help is the module's docstring
    costs = [cost(key, Sizes(), repeats=repeats) for key in only or CASES]
    click.echo(table(costs))
    if file:
        file.write_text(json.dumps([{**asdict(cost), "ratio": cost.ratio} for cost in costs], indent=1) + "\n")


if __name__ == "__main__":
    main()
