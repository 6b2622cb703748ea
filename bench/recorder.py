"""
Measures what the request log costs: `python -m bench.recorder`.

First a micro-benchmark of the listener with its flushes, in microseconds per request. Then the memory of a process that
records, after more and more requests: every tenth one fails with a message of its own. Then CPU seconds per request of
Locust with the recorder against plain Locust, against a service that does next to nothing, twice, each time with a 95 %
interval of the mean over pairs:

- in turns of one process, which takes its listener out and puts it back every quarter of a second (A B B A). They are
  alike but for the recorder, so that this is the sharper one. What the recorder does once a second goes on in both.
- in alternating runs, with the whole recorder and without. Only the time under load counts, not the start.

With `--keep FILE` the pairs of runs are added to those that the file holds, and all of them are used: an interval worth
having needs more of them than a quiet machine is quiet for.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import click
from scipy import stats

INSIDE = Path(__file__).parents[1] / "perfci/rig/load/inside"
MICRO = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
from geventhttpclient.header import Headers
sys.path.insert(0, sys.argv[1])
from perfci_log import LogWriter, request_listener

log = LogWriter(Path(sys.argv[2]))
listen, requests = request_listener(log), int(sys.argv[3])
response = SimpleNamespace(
    status_code=200,
    headers=Headers({"date": "now", "server": "x", "content-type": "application/json; charset=utf-8"}),
    _response=SimpleNamespace(version="HTTP/1.1"),
)
best = float("inf")
for _ in range(5):
    began = time.process_time()
    for number in range(requests):
        listen(request_type="GET", name="/tickets/[id]", response_time=3.25, response_length=1024, response=response,
               exception=None, start_time=1.8e9, context={}, url="/")
        if number % 1000 == 999:
            log.flush()
    best = min(best, time.process_time() - began)
began = time.process_time()
for _ in range(200):
    log.flush()
    log.health(users=10, lags_ms=[0.123] * 20)
print(1e6 * best / requests, 1e3 * (time.process_time() - began) / 200)
"""
MEMORY = """
import sys
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from perfci_log import LogWriter, request_listener

log = LogWriter(Path("/dev/null"))
listen, response = request_listener(log), SimpleNamespace(status_code=200)
done, page_kb = 0, 4
for most in map(int, sys.argv[2:]):
    while done < most:
        done += 1
        listen(request_type="GET", name="/tickets/[id]", response_time=3.25, response_length=1024, response=response,
               exception=None if done % 10 else ValueError(f"no ticket {done}"), start_time=1.8e9, context={}, url="/")
        if done % 1000 == 0:
            log.flush()
    print(done, page_kb * int(Path("/proc/self/statm").read_text().split()[1]), flush=True)
"""
SERVICE = """
import asyncio

class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok")

async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
PROFILE = """
import json, os, time
from locust import FastHttpUser, events, task

class Visitor(FastHttpUser):
    @task
    def look(self):
        self.client.get("/look")

@events.spawning_complete.add_listener
def begin(**_):
    global cpu, requests
    cpu, requests = time.process_time(), runner.stats.total.num_requests

@events.init.add_listener
def know(runner, **_):
    globals()["runner"] = runner

@events.test_stopping.add_listener
def end(**_):
    spent = {"cpu_s": time.process_time() - cpu, "requests": runner.stats.total.num_requests - requests}
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(spent, file)
"""
TURNS = """
import json, os, time
import gevent
from locust import FastHttpUser, events, task

class Visitor(FastHttpUser):
    @task
    def look(self):
        self.client.get("/look")

@events.init.add_listener
def begin(environment, runner, **_):
    gevent.spawn(turns, environment.events.request, runner)

def turns(event, runner):
    (listener,) = [one for one in event._handlers if one.__module__ == "perfci_log"]
    gevent.sleep(1.0)
    spent = []
    for number in range(4 * int(os.environ["BENCH_TURNS"])):
        recorded = number % 4 in (0, 3)
        if recorded != (listener in event._handlers):
            (event.add_listener if recorded else event.remove_listener)(listener)
        cpu, requests = time.process_time(), runner.stats.total.num_requests
        gevent.sleep(0.25)
        spent.append(1e6 * (time.process_time() - cpu) / (runner.stats.total.num_requests - requests))
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(spent, file)
    runner.quit()
"""


@click.command()
@click.option("--turns", default=40, help="Times four turns in one process.")
@click.option("--pairs", default=10, help="Pairs of runs, plain and recorded.")
@click.option("--seconds", default=4.0, help="Length of a run.")
@click.option("--requests", default=200_000, help="Of the micro-benchmark.")
@click.option("--most", default=5_000_000, help="Requests until the memory is read for the last time.")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Where the pairs of several runs gather.")
def main(turns: int, pairs: int, seconds: float, requests: int, most: int, keep: Path | None) -> None:  # noqa: PLR0917
    """Print all costs, without those that cannot be measured here."""
    if requests:
        _micro(requests)
    if most:
        _memory(most)
    if turns:
        _print("turns of 0.25 s", _turns(turns))
    if pairs:
        _print(f"runs of {seconds:g} s", _kept(_pairs(pairs, seconds), keep))


def _micro(requests: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", MICRO, str(INSIDE), f"{name}/micro.log", str(requests)]
        spent = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    each, second = map(float, spent.split())
    click.echo(f"listener and flush: {each:.2f} us per request, and {second:.2f} ms of each second")


def _memory(most: int) -> None:
    steps = [str(most // parts) for parts in (50, 5, 1)]
    output = subprocess.run(
        [sys.executable, "-c", MEMORY, str(INSIDE), *steps], check=True, capture_output=True, text=True
    ).stdout
    for line in output.splitlines():
        requests, size_kb = map(int, line.split())
        click.echo(f"resident after {requests:,} requests: {size_kb / 1024:.1f} MiB")


@contextlib.contextmanager
def _service() -> Iterator[str]:
    """The URL of a service that does almost nothing."""
    service = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
    try:
        assert service.stdout is not None
        yield f"http://127.0.0.1:{service.stdout.readline().strip()}"
    finally:
        service.kill()
        service.wait()


def _turns(quads: int) -> list[float]:
    """The ratio of each ABBA sequence."""
    with tempfile.TemporaryDirectory() as name, _service() as url:
        (Path(name) / "profile.py").write_text(TURNS)
        spent = _locust(Path(name), url, recorded=True, seconds=quads + 60, turns=quads)
    quartets = zip(*[iter(spent)] * 4, strict=True)
    return [(first + last) / (second + third) for first, second, third, last in quartets]


def _pairs(pairs: int, seconds: float) -> list[float]:
    """The ratio of each pair of runs."""
    with tempfile.TemporaryDirectory() as name, _service() as url:
        (Path(name) / "profile.py").write_text(PROFILE)
        return [_pair(Path(name), url, seconds, recorded_first=bool(number % 2)) for number in range(pairs)]


def _kept(ratios: list[float], keep: Path | None) -> list[float]:
    if keep is None:
        return ratios
    with keep.open("a") as file:
        file.writelines(f"{ratio}\n" for ratio in ratios)
    return [float(line) for line in keep.read_text().split()]


def _print(what: str, ratios: list[float]) -> None:
    if len(ratios) < 2:
        raise click.UsageError("an interval needs two pairs at least")
    logs = [math.log(ratio) for ratio in ratios]
    half = stats.t.ppf(0.975, len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
    low, middle, high = (math.exp(mean(logs) + shift) for shift in (-half, 0.0, half))
    click.echo(f"CPU per request, recorded / plain, {what}: {middle:.3f} [{low:.3f}, {high:.3f}], {len(ratios)} pairs")


def _pair(folder: Path, url: str, seconds: float, *, recorded_first: bool) -> float:
    found = {
        recorded: _run(folder, url, seconds, recorded=recorded) for recorded in (recorded_first, not recorded_first)
    }
    click.echo(f"  plain {found[False]:.1f} us, recorded {found[True]:.1f} us of CPU per request", err=True)
    return found[True] / found[False]


def _run(folder: Path, url: str, seconds: float, *, recorded: bool) -> float:
    """CPU time of one Locust, in microseconds per request."""
    spent = _locust(folder, url, recorded=recorded, seconds=seconds)
    return 1e6 * float(spent["cpu_s"]) / float(spent["requests"])


def _locust(folder: Path, url: str, *, recorded: bool, seconds: float, turns: int = 0) -> Any:
    """What the profile in *folder* prints at its end."""
    record, out = folder / f"record-{time.monotonic_ns()}", folder / "spent.json"
    record.mkdir()
    records = {"PERFCI_RECORD": str(record), "PERFCI_STOP_AFTER": "1000"} if recorded else {}
    subprocess.run(
        [
            *(sys.executable, str(INSIDE / "perfci_locust.py"), "-f", "profile.py", "--headless", "--only-summary"),
            *("-H", url, "-u", "10", "-r", "100", "-t", f"{seconds:g}s"),
        ],
        cwd=folder,
        env={
            **os.environ,
            **records,
            "BENCH_OUT": str(out),
            "BENCH_TURNS": str(turns),
        },
        check=True,
        capture_output=True,
    )
    return json.loads(out.read_text())


if __name__ == "__main__":
    main()
