"""
What one request of each area of the demo costs: `python -m bench.areas`.

One service of its own with the usual test data, one client, one request in flight. CPU is the time of the service's
process over all requests of an endpoint: server, framework and SQLite, nothing of the client. Latency is what the
client waited, and needs an idle machine. WebSocket messages are sent over one open connection.
"""

import base64
import itertools
import json
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import psutil
import requests
import websocket

from bench.demo_service import serving
from perfci.rig.host.fingerprint import machine

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "demo" / "README.md"
BEGIN, END = "<!-- areas: begin -->", "<!-- areas: end -->"
WARM_UP = 20
FRAME = bytes(640)  # 20 ms of a telephone call, before it is encoded
PASSWORD = "perf-test"

PERSON = {"name": "Ann Area {n}", "email": "ann{n}@example.test", "phone": "+1 555 {n}"}
UPLOAD = {"files": {"file": ("note.txt", b"x" * 2048, "text/plain")}}
REQUESTS: tuple[tuple[str, str, str, dict[str, Any] | None], ...] = (
    ("auth", "POST", "/auth/login", {"email": "user0001@example.test", "password": PASSWORD}),
    ("auth", "POST", "/auth/register", {"email": "{run}-{n}@example.test", "password": PASSWORD, "name": "Ann"}),
    ("auth", "POST", "/auth/refresh", {"refresh_token": "{refresh}"}),
    ("auth", "GET", "/auth/profile", None),
    ("tickets", "GET", "/tickets/", None),
    ("tickets", "GET", "/tickets/{ticket}", None),
    ("tickets", "POST", "/tickets/", {"title": "printer is broken {n}", "description": "since noon"}),
    ("tickets", "PATCH", "/tickets/{ticket}", {"description": "since noon, {n}"}),
    ("approvals", "GET", "/approvals/pending", None),
    ("approvals", "GET", "/approvals/history", None),
    ("approvals", "POST", "/approvals/{approval}/action", {"action": "approve", "note": "{n}"}),
    ("comments", "GET", "/comments/ticket/{ticket}", None),
    ("comments", "POST", "/comments/ticket/{ticket}", {"body": "still broken, {n}"}),
    ("attachments", "POST", "/attachments/ticket/{ticket}/upload", UPLOAD),
    ("reports", "GET", "/reports/dashboard", None),
    ("reports", "GET", "/reports/sla", None),
    ("reports", "GET", "/reports/volume", None),
    ("tasks", "GET", "/generation/tasks", None),
    ("tasks", "POST", "/generation/tasks", {"prompt": "a roof in the rain, {n}"}),
    ("payments", "GET", "/payments", None),
    ("payments", "POST", "/payments", {"amount": 1200, "description": "{n}"}),
    ("subscriptions", "GET", "/subscriptions", None),
    ("plans", "GET", "/plans", None),
    ("usage", "GET", "/usage", None),
    ("usage", "GET", "/usage/summary", None),
    ("usage", "POST", "/usage", {"meter": "requests", "quantity": 3}),
    ("API keys", "GET", "/api-keys", None),
    ("leads", "GET", "/leads", None),
    ("leads", "POST", "/leads", PERSON),
    ("customers", "GET", "/customers", None),
    ("customers", "GET", "/customers/{customer}", None),
    ("customers", "POST", "/customers", {**PERSON, "city": "Springfield"}),
    ("projects", "GET", "/projects", None),
    ("projects", "GET", "/projects/{project}", None),
    ("analytics", "GET", "/dashboard", None),
    ("analytics", "GET", "/dashboard/metrics", None),
    ("analytics", "GET", "/analytics/revenue", None),
    ("analytics", "GET", "/analytics/funnel", None),
    ("contacts", "GET", "/contacts", None),
    ("contacts", "GET", "/contacts/{contact}", None),
    ("contacts", "POST", "/contacts", PERSON),
    ("interactions", "POST", "/contacts/{contact}/interactions", {"summary": "called, {n}"}),
    ("search", "GET", "/tickets/search?q=printer", None),
    ("search", "GET", "/contacts/search?q=ann", None),
    ("calendar", "GET", "/calendar/events", None),
    ("calendar", "GET", "/calendar/events?from=2026-03-01T00:00:00Z&to=2026-03-08T00:00:00Z", None),
    ("calendar", "POST", "/calendar/events", {"title": "visit {n}", "starts_at": "2026-03-02T09:00:00Z"}),
    ("telephony", "GET", "/telephony/calls", None),
    ("telephony", "GET", "/telephony/analytics", None),
    ("telephony", "POST", "/telephony/verify", {"phone": "+1 555 0000001"}),
    ("cache", "GET", "/api/cache/stats", None),
    ("cache", "GET", "/api/cache/health", None),
    ("service", "GET", "/health", None),
    ("service", "GET", "/ready", None),
    ("service", "GET", "/metrics", None),
)
"""Area, method, path and JSON of what its users ask most; `{n}` is the number of the request, the others are known."""

Ask = Callable[[int], Any]
"""Sends the request of this number, and waits for its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A request of an area, and how to send it."""

    area: str
    name: str
    ask: Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one request of an endpoint took: CPU time of the service, and the client's wait; milliseconds."""

    area: str
    name: str
    cpu_ms: float
    p50_ms: float
    p95_ms: float


class Client:
    """One person with a token and one connection."""

    def __init__(self, url: str, pid: int) -> None:
        """*pid* is the process of the service at *url*."""
        self.url = url
        self.process = psutil.Process(pid)
        self._session = requests.Session()
        self._session.trust_env = False
        self.tokens = self.send("POST", "/auth/login", json={"email": "admin01@example.test", "password": PASSWORD})
        self._session.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    def send(self, method: str, path: str, **arguments: Any) -> Any:
        """The JSON of the answer, or nothing; AssertionError where it is an error."""
        answer = self._session.request(method, f"{self.url}{path}", timeout=30, **arguments)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        return answer.json() if answer.headers.get("content-type", "").startswith("application/json") else None

    def asking(self, method: str, path: str, **arguments: Any) -> Ask:
        """The same request each time; `{n}` in a text of its JSON is the number of the request."""

        def ask(number: int) -> Any:
            if "json" in arguments:
                return self.send(method, path, json=_filled(arguments["json"], {"{n}": str(number)}))
            return self.send(method, path, **arguments)

        return ask

    def first(self, path: str) -> int:
        """The number of the first entry of a list."""
        found = self.send("GET", path)
        items = found["items"] if isinstance(found, dict) else found
        return int(items[0]["id"])

    def exchanging(self, path: str, message: Callable[[int], str | bytes]) -> Ask:
        """Messages over a WebSocket that stays open, each with its answer."""
        socket = websocket.create_connection(
            f"{self.url.replace('http', 'ws', 1)}{path}?token={self.tokens['access_token']}", timeout=30
        )

        def ask(number: int) -> Any:
            text = message(number)
            if isinstance(text, bytes):
                socket.send_binary(text)
            else:
                socket.send(text)
            return socket.recv()

        return ask


def endpoints(client: Client) -> Iterator[Endpoint]:
    """Of each area of the demo: what its users ask most often, reads before writes."""
    contact = {"name": "Ann Area", "email": "a@example.test", "phone": "+1 555 1"}
    known = {
        "{ticket}": str(client.first("/tickets/")),
        "{approval}": str(client.first("/approvals/pending")),
        "{customer}": str(client.first("/customers")),
        "{project}": str(client.first("/projects")),
        "{contact}": str(client.send("POST", "/contacts", json=contact)["id"]),
        "{refresh}": client.tokens["refresh_token"],
        "{run}": f"{time.time_ns():x}",
    }
    for area, method, path, body in REQUESTS:
        given = {} if body is None else body if body is UPLOAD else {"json": _filled(body, known)}
        name = re.sub(r"\{\w+\}", "[id]", re.sub(r"=[^&]*", "", path))  # of a query the names of its parts
        ask = client.asking(method, _filled({"": path}, known)[""], **given)
        yield Endpoint(area=area, name=f"{method} {name}", ask=ask)
    yield from _streams(client)


def _filled(texts: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
    """The *texts* with what is *known* in the places of their marks; what is no text stays."""
    filled = dict(texts)
    for key, value in texts.items():
        for mark, text in known.items():
            filled[key] = filled[key].replace(mark, text) if isinstance(value, str) else value
    return filled


def _streams(client: Client) -> Iterator[Endpoint]:
    sound = base64.b64encode(FRAME).decode()
    for name, path, message in (
        ("conversation message", "/api/ws/conversation", lambda n: json.dumps({"id": str(n), "text": "good morning"})),
        ("voice frame", "/api/ws/voice", lambda _: FRAME),
        (
            "media frame",
            "/api/ws/media",
            lambda n: json.dumps({"event": "media", "media": {"chunk": str(n), "payload": sound}}),
        ),
    ):
        yield Endpoint(area="WebSockets", name=f"WS {name}", ask=client.exchanging(path, message))


def measure(client: Client, endpoint: Endpoint, *, count: int) -> Cost:
    """Send *count* requests, one after the other, after a few that warm up what there is to warm up."""
    numbers = itertools.count()
    for _ in range(WARM_UP):
        endpoint.ask(next(numbers))
    waits: list[float] = []
    before = _cpu_s(client.process)
    for _ in range(count):
        began = time.perf_counter()
        endpoint.ask(next(numbers))
        waits.append((time.perf_counter() - began) * 1e3)
    spent = _cpu_s(client.process) - before
    cuts = statistics.quantiles(waits, n=20)
    return Cost(area=endpoint.area, name=endpoint.name, cpu_ms=spent * 1e3 / count, p50_ms=cuts[9], p95_ms=cuts[18])


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def table(costs: list[Cost]) -> str:
    """A row for each endpoint, area by area."""
    head = "| Area | Request | CPU | p50 | p95 |\n| :--- | :--- | ---: | ---: | ---: |\n"
    return head + "".join(
        f"| {cost.area} | `{cost.name}` | {cost.cpu_ms:.2f} ms | {cost.p50_ms:.2f} ms | {cost.p95_ms:.2f} ms |\n"
        for cost in costs
    )


def section(costs: list[Cost], *, count: int, load: float) -> str:
    """The table with what it was measured on; *load* is the load average of the machine before."""
    here = machine()
    return (
        f"{here.cpu_model}, {here.cores} cores; SQLite, cache in the process; {count} requests each, one in flight;"
        f" load average of the machine before: {load:.1f}. CPU is the time of the service's process.\n\n{table(costs)}"
    )


def written(page: str, text: str) -> str:
    """*page* with *text* between the marks of the section; ValueError where it has no such marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{text}\n{END}{after}"


@click.command()
@click.option("--count", type=click.IntRange(20), default=300, show_default=True, help="Requests of each endpoint.")
@click.option("--area", "areas", multiple=True, help="Only this area, or these.")
@click.option("--write", is_flag=True, help=f"Put the table into {PAGE.relative_to(ROOT)}.")
def main(count: int, areas: tuple[str, ...], write: bool) -> None:
    """Measure what one request of each area of the demo costs."""
    load = os.getloadavg()[0]
    with serving({"DEMO_RATE_LIMIT": "off"}) as service:
        client = Client(service.url, service.pid)
        costs = [measure(client, each, count=count) for each in endpoints(client) if not areas or each.area in areas]
    text = section(costs, count=count, load=load)
    click.echo(text)
    if write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
