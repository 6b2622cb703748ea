"""
Compares whole rounds with slices: how far identical sides seem apart, at equal seconds of measured load.

    python -m bench.record_slices record FILE --ways 0,1,2,4 --limit 165   # appends; repeat until it is enough
    python -m bench.record_slices show FILE

A way is the length of a slice in seconds; 0 is a whole round of one side and then one of the other. Two identical
services are started once per call. The ways take turns, and each round turns the order of the sides round, so that all
of them meet the same weather. What is compared is the standard deviation between rounds of the log ratio of candidate
and base, around the mean of each call: two identical processes have a lasting difference of their own, which only
restarts average out, and which no way of sharing the seconds changes.
"""

import contextlib
import json
import math
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import click

from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS, EndpointRound, LoadPlan, Side
from perfci.rig.load.generator import Place
from perfci.rig.load.recording import Recording
from perfci.rig.load.rounds import load_round, shared_round

SERVICE = """
import asyncio, sys

async def answer(reader, writer):
    try:
        while request := await reader.readuntil(b"\\r\\n\\r\\n"):
            for _ in range(60_000 if b"/heavy" in request else 15_000):
                pass
            writer.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()

async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
"""A service that works for about 0.5 ms or 2 ms per request, one request after the other."""

PROFILE = """
from locust import FastHttpUser, between, task

class Visitor(FastHttpUser):
    wait_time = between(0.01, 0.05)

    @task
    def light(self):
        self.client.get("/light")

    @task
    def heavy(self):
        self.client.get("/heavy")
"""
USERS = 10
SHOWN = ("gmean", "p50", "p95", "throughput")
FEWEST = 100  # requests of an endpoint in every round; rarer ones are noise of the counting
Rows = list[dict[str, Any]]


@click.group()
def cli() -> None:
    """Record, or show the recording."""


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--ways", default="0,1,2,4", help="Lengths of slices in seconds, 0 for whole rounds.")
@click.option("--duration", default=6.0, help="Measured seconds per side and round.")
@click.option("--limit", default=170.0, help="Seconds after which no further round begins.")
@click.option("--hogs", default=0, help="Processes beside it that do nothing but use a core.")
def record(file: Path, ways: str, duration: float, limit: float, hogs: int) -> None:
    """Start two identical services and append one line for each round of both to FILE."""
    lengths = [float(way) for way in ways.split(",")]
    call, end = time.time(), time.monotonic() + limit
    with tempfile.TemporaryDirectory() as folder, _hogs(hogs), _services() as urls:
        (Path(folder) / "profile.py").write_text(PROFILE)
        number = 0
        while True:
            for way in lengths[number % len(lengths) :] + lengths[: number % len(lengths)]:
                if time.monotonic() + 2 * duration + 6 > end:
                    return
                measured = _round(_plan(duration), urls, Path(folder), way, list(Side)[:: 1 if number % 2 else -1])
                line = {"call": call, "way": way, "duration": duration, "hogs": hogs, "sides": measured}
                with file.open("a") as out:
                    out.write(json.dumps(line) + "\n")
            number += 1


@contextlib.contextmanager
def _services() -> Iterator[Mapping[Side, str]]:
    """The base URL of each side."""
    with contextlib.ExitStack() as stack:
        urls = {}
        for side in Side:
            service = stack.enter_context(
                subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
            )
            stack.callback(service.kill)
            assert service.stdout is not None
            urls[side] = f"http://127.0.0.1:{service.stdout.readline().strip()}"
        yield urls


def _plan(duration_s: float) -> LoadPlan:
    return LoadPlan(
        locustfile="profile.py",
        user_classes=(),
        tags=(),
        users=USERS,
        spawn_rate=50.0,
        duration_s=duration_s,
        warmup_s=1.0,
        environment={},
    )


def _round(plan: LoadPlan, urls: Mapping[Side, str], folder: Path, way: float, order: list[Side]) -> dict[str, Any]:
    places = {
        side: Place(
            source=folder,
            folder=folder / f"load-{side}",
            environ=os.environ,
            state=folder / "state",
            watch=lambda _: None,
        )
        for side in order
    }
    if way:
        recordings = shared_round(plan, base_urls=urls, places=places, slice_s=way)
    else:
        recordings = {side: load_round(plan, base_url=urls[side], place=places[side]) for side in order}
    return {side.value: _values(recording) for side, recording in recordings.items()}


def _values(recording: Recording) -> dict[str, dict[str, float]]:
    def values(measured: EndpointRound) -> dict[str, float]:
        return {
            "requests": measured.requests,
            **{name: measured.values[name] for name in SHOWN if name in measured.values},
        }

    measured = registry.measure(recording.requests, windows=recording.windows)
    return {endpoint: values(endpoint_round) for endpoint, endpoint_round in measured.items()}


@contextlib.contextmanager
def _hogs(count: int) -> Iterator[None]:
    """Run *count* processes that each keep a core busy."""
    hogs = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(count)]
    for hog in hogs:
        hog.start()
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.join()


def _spin() -> None:
    while True:
        pass


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def show(file: Path) -> None:
    """Print the scatter of each way, and its ratio to that of whole rounds."""
    rows: Rows = [json.loads(line) for line in file.read_text().splitlines()]
    for hogs in sorted({row["hogs"] for row in rows}):
        chosen = [row for row in rows if row["hogs"] == hogs]
        scatter = {way: _scatter([r for r in chosen if r["way"] == way]) for way in sorted({r["way"] for r in chosen})}
        click.echo(f"{hogs} hogs, {chosen[0]['duration']:g} s per side; SD of the log ratio, %")
        click.echo(f"{'way':>12} {'rounds':>7}" + "".join(f"{name:>22}" for name in SHOWN) + f"{'gmean, all':>22}")
        for way, (count, spread) in scatter.items():
            whole = scatter.get(0.0, (0, {}))[1]
            cells = "".join(_cell(spread.get(name), whole.get(name)) for name in (*SHOWN, "all"))
            click.echo(f"{'whole' if not way else f'slices {way:g} s':>12} {count:>7}{cells}")


def _cell(value: float | None, whole: float | None) -> str:
    if value is None:
        return f"{'':>22}"
    ratio = f" ({value / whole:.2f} of whole)" if whole else ""
    return f"{f'{100 * value:.1f}{ratio}':>22}"


def _scatter(rows: Rows) -> tuple[int, dict[str, float]]:
    """
    Number of rounds, and per metric the SD (root mean square over the endpoints); "all" is the mean over the endpoints.
    """
    every = set.intersection(*({e for e in _common(row) if e != ALL_ENDPOINTS} for row in rows))
    spread: dict[str, float] = {}
    for name in SHOWN:
        deviations = [_deviation(rows, lambda row, e=endpoint, n=name: _log(row, e, n)) for endpoint in sorted(every)]
        spread[name] = math.sqrt(mean(deviation**2 for deviation in deviations))
    spread["all"] = _deviation(rows, lambda row: mean(_log(row, endpoint, "gmean") for endpoint in sorted(every)))
    return len(rows), spread


def _common(row: Mapping[str, Any]) -> set[str]:
    """The endpoints with enough requests on both sides."""
    base, candidate = (row["sides"][side.value] for side in Side)
    return {
        name
        for name in base
        if name in candidate and min(base[name]["requests"], candidate[name]["requests"]) >= FEWEST
    }


def _log(row: Mapping[str, Any], endpoint: str, name: str) -> float:
    base, candidate = (row["sides"][side.value][endpoint][name] for side in Side)
    return math.log(candidate / base)


def _deviation(rows: Rows, value: Any) -> float:
    """The standard deviation within the calls."""
    calls = defaultdict(list)
    for row in rows:
        calls[row["call"]].append(value(row))
    squares = sum((value - mean(values)) ** 2 for values in calls.values() for value in values)
    return math.sqrt(squares / max(1, len(rows) - len(calls)))


if __name__ == "__main__":
    cli()
