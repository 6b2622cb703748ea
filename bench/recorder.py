"""
What the recorder costs: `python -m bench.recorder`.

First a micro-benchmark of the listener with its flushes, in microseconds per request. Then the memory of a process that
records, after more and more requests: every tenth one fails with a message of its own. Then CPU seconds per request of
Locust with the recorder against plain Locust, in alternating runs against a service that does next to nothing; the
ratio with a 95 % interval of the mean over the pairs. Only the time under load counts, not the start of the process.

With `--keep FILE` the pairs are added to those that the file holds, and all of them are used: an interval worth having
needs more pairs than a quiet machine is quiet for.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from types import SimpleNamespace

import click
from scipy import stats

INSIDE = Path(__file__).parents[1] / "perfci/rig/load/inside"
MICRO = """
import sys, time
from pathlib import Path
from types import SimpleNamespace
sys.path.insert(0, sys.argv[1])
from perfci_log import LogWriter, request_listener

log = LogWriter(Path(sys.argv[2]))
listen, response, requests = request_listener(log), SimpleNamespace(status_code=200), int(sys.argv[3])
best = float("inf")
for _ in range(5):
    began = time.process_time()
    for number in range(requests):
        listen(request_type="GET", name="/tickets/[id]", response_time=3.25, response_length=1024, response=response,
               exception=None, start_time=1.8e9, context={}, url="/")
        if number % 1000 == 999:
            log.flush()
    best = min(best, time.process_time() - began)
print(1e6 * best / requests)
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


@click.command()
@click.option("--pairs", default=10, help="Pairs of runs, plain and recorded.")
@click.option("--seconds", default=4.0, help="Length of a run.")
@click.option("--requests", default=200_000, help="Of the micro-benchmark.")
@click.option("--most", default=5_000_000, help="Requests until the memory is read for the last time.")
@click.option("--keep", type=click.Path(dir_okay=False, path_type=Path), help="Where the pairs of several runs gather.")
def main(pairs: int, seconds: float, requests: int, most: int, keep: Path | None) -> None:
    """Print all costs; what has no requests or pairs to measure is left out."""
    if requests:
        _micro(requests)
    if most:
        _memory(most)
    if pairs:
        _ratio(pairs, seconds, keep)


def _micro(requests: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", MICRO, str(INSIDE), f"{name}/micro.log", str(requests)]
        spent = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    click.echo(f"listener and flush: {float(spent):.2f} us per request")


def _memory(most: int) -> None:
    steps = [str(most // parts) for parts in (50, 5, 1)]
    told = subprocess.run(
        [sys.executable, "-c", MEMORY, str(INSIDE), *steps], check=True, capture_output=True, text=True
    ).stdout
    for line in told.splitlines():
        requests, size_kb = map(int, line.split())
        click.echo(f"resident after {requests:,} requests: {size_kb / 1024:.1f} MiB")


def _ratio(pairs: int, seconds: float, keep: Path | None) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "profile.py").write_text(PROFILE)
        service = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
        try:
            assert service.stdout is not None
            url = f"http://127.0.0.1:{service.stdout.readline().strip()}"
            ratios = [_pair(folder, url, seconds, recorded_first=bool(number % 2)) for number in range(pairs)]
        finally:
            service.kill()
            service.wait()
    if keep:
        with keep.open("a") as file:
            file.writelines(f"{ratio}\n" for ratio in ratios)
        ratios = [float(line) for line in keep.read_text().split()]
    if len(ratios) < 2:
        raise click.UsageError("an interval needs two pairs at least")
    logs = [math.log(ratio) for ratio in ratios]
    half = stats.t.ppf(0.975, len(logs) - 1) * stdev(logs) / math.sqrt(len(logs))
    low, middle, high = (math.exp(mean(logs) + shift) for shift in (-half, 0.0, half))
    click.echo(
        f"CPU per request, recorded / plain: {middle:.3f} [{low:.3f}, {high:.3f}], {len(ratios)} pairs of {seconds:g} s"
    )


def _pair(folder: Path, url: str, seconds: float, *, recorded_first: bool) -> float:
    found = {
        recorded: _run(folder, url, seconds, recorded=recorded) for recorded in (recorded_first, not recorded_first)
    }
    click.echo(f"  plain {found[False]:.1f} us, recorded {found[True]:.1f} us of CPU per request", err=True)
    return found[True] / found[False]


def _run(folder: Path, url: str, seconds: float, *, recorded: bool) -> float:
    """CPU of one Locust in microseconds per request."""
    record, out = folder / f"record-{time.monotonic_ns()}", folder / "spent.json"
    record.mkdir()
    files = f"{INSIDE / 'perfci_recorder.py'},profile.py" if recorded else "profile.py"
    subprocess.run(
        [
            *(sys.executable, str(INSIDE / "perfci_locust.py"), "-f", files, "--headless", "--only-summary"),
            *("-H", url, "-u", "10", "-r", "100", "-t", f"{seconds:g}s"),
        ],
        cwd=folder,
        env={**os.environ, "PERFCI_RECORD": str(record), "PERFCI_STOP_AFTER": "1000", "BENCH_OUT": str(out)},
        check=True,
        capture_output=True,
    )
    spent = SimpleNamespace(**json.loads(out.read_text()))
    return 1e6 * float(spent.cpu_s) / float(spent.requests)


if __name__ == "__main__":
    main()
