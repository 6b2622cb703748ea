"""
Measures a load of many users: `python -m bench.many_users`.

A whole `perfci run` with 10,000 users of Locust against a service of one process on this machine, which does next to
nothing but count. Printed are the users and the rate that were reached, what was recorded beside what the service says
it served, how the generator fared, and what perfci says about the validity of it. Ends with 1 where a request was
recorded twice or not at all.
"""

import json
import resource
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from perfci.rig.load.log import LogReader, requests_of

SERVICE = """
import asyncio

served = 0

class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        global served
        body = b"ok"
        if data.startswith(b"GET /look"):
            served += 1
        elif data.startswith(b"GET /served"):
            body = str(served).encode()
        self.transport.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: %d\\r\\n\\r\\n%b" % (len(body), body))

async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""
PROFILE = """
from locust import FastHttpUser, between, task

class Visitor(FastHttpUser):
    wait_time = between({shortest:.3f}, {longest:.3f})

    @task
    def look(self):
        self.client.get("/look")
"""
PROJECT = """
baselines = "baselines"
[target]
kind = "external"
url = "http://127.0.0.1:{port}"
ready = {{ path = "/" }}
[census]
enabled = "off"
[profiles.many]
locustfile = "profile.py"
[profiles.many.scenarios.run]
users = {users}
spawn_rate = {spawn_rate}
processes = {processes}
duration = "{seconds}s"
warmup = "{warmup}s"
baseline.rounds = 1
"""


@click.command()
@click.option("--users", default=10_000)
@click.option("--rate", default=1_200.0, help="Requests a second of all users together.")
@click.option("--spawn-rate", default=500.0, help="Users started per second.")
@click.option("--processes", default=2)
@click.option("--seconds", default=30, help="Measured part of the round.")
@click.option("--warmup", default=10, help="Cut off before it, in seconds.")
def main(**options: Any) -> None:
    """Measure once, and print the rates that were reached."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # the service has a connection for each user
    with tempfile.TemporaryDirectory() as name:
        service = subprocess.Popen([sys.executable, "-c", SERVICE], stdout=subprocess.PIPE, text=True)
        try:
            assert service.stdout is not None
            port = int(service.stdout.readline())
            measured, said = _run(Path(name), port, options)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/served", timeout=10) as answer:
                served = int(answer.read())
        finally:
            service.kill()
            service.wait()
        recorded = _recorded(Path(name))
    _print(measured, said, recorded=recorded, served=served)
    sys.exit(recorded != served)


def _run(folder: Path, port: int, options: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """The only round of a run, and perfci's output."""
    pause_s = options["users"] / options["rate"]
    (folder / "profile.py").write_text(PROFILE.format(shortest=0.5 * pause_s, longest=1.5 * pause_s))
    (folder / "perfci.toml").write_text(PROJECT.format(port=port, **options))
    command = ["run", "many", "--against", "baseline", "--output", "out", "--verbose"]
    done = subprocess.run(
        [sys.executable, "-m", "perfci", *command], cwd=folder, capture_output=True, text=True, check=False
    )
    try:
        (measured,) = json.loads((folder / "out/run.json").read_text())["rounds"]
    except ValueError:
        raise click.ClickException(f"nothing was measured:\n{done.stderr}{done.stdout}") from None
    return measured, done.stdout


def _recorded(folder: Path) -> int:
    readers = [LogReader(path) for path in sorted((folder / "out/logs").glob("load-*/*.log"))]
    for reader in readers:
        reader.poll()
    return len(requests_of(readers))


def _print(measured: Mapping[str, Any], said: str, *, recorded: int, served: int) -> None:
    endpoint = measured["endpoints"]["GET /look"]
    health = measured["generator"]
    click.echo(f"users: {health['users_reached']:,} reached, {health['users_kept']:,} kept")
    click.echo(f"requests: {recorded:,} recorded, {served:,} served")
    click.echo(f"measured: {endpoint['requests'] / measured['duration_s']:,.0f} a second")
    click.echo(
        f"generator: {100 * health['cpu_share']:.0f} % of a core (95th percentile), waited for one "
        f"{100 * health['run_delay_share']:.0f} % of the time, loop late by {health['loop_lag_p99_ms']:.1f} ms "
        f"(99th percentile), complete: {health['complete']}"
    )
    click.echo(said)


if __name__ == "__main__":
    main()
