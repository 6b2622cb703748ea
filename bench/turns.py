"""
Measures the time that the driver adds between two turns, on either side: `python -m bench.turns`.

Two copies of a service that does next to nothing take turns, in rounds in which they swap sides: what follows the side
is the driver's doing, what follows the copy is the copy's. Printed are the times between the end of a request and the
start of the next (median, and 95th percentile) by the side that is asked next, the difference between the sides with a
95 % interval over the rounds, the same for the requests themselves, and the processor time of the driver.
"""

import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from math import expm1, log
from pathlib import Path

import click
import numpy as np
from scipy import stats

from bench.recorder import SERVICE
from perfci.model import LoadPlan, Side
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import duet_round

PROFILE = """
from locust import FastHttpUser, task

class Visitor(FastHttpUser):
    @task
    def look(self):
        self.client.get("/look")

    @task
    def search(self):
        self.client.get("/search?q=badge", name="/search")

    @task
    def pair(self):
        for part in ("one", "two"):
            self.client.get(f"/pair-{part}")
"""
PLAN = LoadPlan(
    locustfile="profile.py",
    user_classes=(),
    tags=(),
    users=1,
    spawn_rate=1,
    duration_s=1,
    warmup_s=0,
    environment={},
)


@click.command()
@click.option("--rounds", default=8, help="Of turns; every second one with the copies on the other side.")
@click.option("--seconds", default=4.0, help="Measured in each.")
def main(rounds: int, seconds: float) -> None:
    """Print all measurements."""
    gaps: dict[Side, list[float]] = defaultdict(list)
    asked: dict[Side, list[float]] = defaultdict(list)
    gap_ratios, ratios, shares = [], [], []
    with tempfile.TemporaryDirectory() as name, _copies() as urls:
        (Path(name) / "profile.py").write_text(PROFILE)
        for number in range(rounds):
            order = urls if number % 2 == 0 else urls[::-1]
            recordings = _taken(Path(name), dict(zip(Side, order, strict=True)), seconds)
            found = _gaps(recordings)
            for side, recording in recordings.items():
                gaps[side] += found[side]
                asked[side] += list(recording.requests.latency_ms)
            gap_ratios.append(_ratio(found))
            ratios.append(_ratio({side: list(recording.requests.latency_ms) for side, recording in recordings.items()}))
            shares.append(recordings[Side.BASE].generator.cpu_share)
    click.echo(f"{rounds} rounds of {seconds:g} s, {len(asked[Side.BASE])} requests a side")
    for side in Side:
        click.echo(f"between two requests, before the {side.value}: {_quartiles(gaps[side])}")
    click.echo(f"  the candidate's against the base's: {_interval(gap_ratios)}")
    for side in Side:
        click.echo(f"a request of the {side.value}: {_quartiles(asked[side])}")
    click.echo(f"  the candidate's against the base's: {_interval(ratios)}")
    click.echo(f"processor time of the driver: {100 * float(np.mean(shares)):.0f} % of a core")


@contextmanager
def _copies() -> Iterator[list[str]]:
    with ExitStack() as stack:
        urls = []
        for _ in range(2):
            service = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
            )
            stack.callback(service.kill)
            assert service.stdout is not None
            urls.append(f"http://127.0.0.1:{service.stdout.readline().strip()}")
        yield urls


def _taken(folder: Path, urls: Mapping[Side, str], seconds: float) -> dict[Side, Recording]:
    place = Place(
        source=folder, folder=folder / "logs", environ=os.environ, state=folder / "state", watch=lambda _: None
    )
    with duet_round(PLAN, place) as take:
        return take(urls, times=(1.0, seconds), rng_seed=1)


def _gaps(recordings: Mapping[Side, Recording]) -> dict[Side, list[float]]:
    """Milliseconds from the end of each request to the start of the next, by the side of the next."""
    rows = sorted(
        (start_s, start_s + latency_ms / 1e3, side)
        for side, recording in recordings.items()
        for start_s, latency_ms in zip(recording.requests.start_s, recording.requests.latency_ms, strict=True)
        if recording.start_s <= start_s < recording.end_s
    )
    found: dict[Side, list[float]] = {side: [] for side in Side}
    for (_, ended_s, _), (started_s, _, side) in pairwise(rows):
        found[side].append(1e3 * (started_s - ended_s))
    return found


def _ratio(values: Mapping[Side, Sequence[float]]) -> float:
    """Log of the ratio of the medians, candidate to base."""
    return log(float(np.median(values[Side.CANDIDATE])) / float(np.median(values[Side.BASE])))


def _quartiles(values: Sequence[float]) -> str:
    return f"{1e3 * np.median(values):.0f} us (95th percentile {1e3 * np.quantile(values, 0.95):.0f} us)"


def _interval(logs: Sequence[float]) -> str:
    low, high = stats.t.interval(0.95, len(logs) - 1, loc=np.mean(logs), scale=stats.sem(logs))
    return (
        f"{100 * expm1(float(np.mean(logs))):+.2f} % [{100 * expm1(float(low)):+.2f}, {100 * expm1(float(high)):+.2f}]"
    )


if __name__ == "__main__":
    main()
