"""
Redis, Valkey and their kin: calls of every command, and how often a key was there, from INFO.

INFO counts for the whole server. Where others use it, MONITOR tells who works and in which of its databases.
"""

import contextlib
import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.addresses import Address
from perfci.rig.census.clients import Client, Clients, split
from perfci.rig.census.source import Scene, Snapshot, Source, Work
from perfci.rig.host.clients import REDIS, redis_cli, redis_cli_at
from perfci.rig.host.session import Session, kept
from perfci.rig.target.running import Container

KIND = "redis"
CONTROL = frozenset(
    {"ping", "echo", "info", "command", "client", "hello", "auth", "select", "config", "quit", "reset", "readonly"}
    | {"replconf", "psync", "role", "latency", "memory", "slowlog", "debug", "time", "dbsize", "lastsave"}
)
"""Commands of connections, health checks and monitoring tools (perfci among them), which are no work of the service."""

_INFO = "INFO commandstats\nINFO stats"
_CALLS = re.compile(r"cmdstat_([^:]+):calls=(\d+),")
_MONITORED = re.compile(r'\d+\.\d+ \[(?P<database>\d+) (?P<client>[^\]]+|\[[^\]]+\]:\d+)\] "(?P<command>[^"]+)"')
_CLIENT = re.compile(r"^id=\d+ addr=(\S+) .*?\bage=(\d+)\b", re.MULTILINE)
ROUNDED_S = 1.0  # Redis subtracts whole seconds from whole seconds: it can say so much more than the age
_COUNTERS = {"keyspace_hits": "hits", "keyspace_misses": "misses"}


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source for every container in which such a server runs."""
    for container in scene.running.containers:
        if not scene.programs.get(container.id, frozenset()) & REDIS or not scene.wants(container.service, KIND):
            continue
        try:
            yield _opened(scene, container)
        except CensusError as error:
            yield CounterSource(name=container.service, kind=KIND, found=False, note=str(error))
    for address in scene.addresses(KIND):
        try:
            yield _reached(scene, address)
        except CensusError as error:
            yield CounterSource(name=address.name, kind=KIND, found=False, note=str(error))


def _opened(scene: Scene, container: Container) -> Source:
    session = redis_cli(container.id, service=container.service, command=container.command, environ=scene.environ)
    with kept(session):
        source = Redis(session, name=container.service)
        source.read()
    return source


def _reached(scene: Scene, address: Address) -> Source:
    """Open a server at an address, which others may use as well."""
    database = address.database or "0"
    if not database.isdigit():
        raise CensusError(f"its database is a number, not {database!r}")
    sessions = []
    with contextlib.ExitStack() as opened:
        for _ in range(2):
            session = redis_cli_at(
                address.host,
                address.port or 6379,
                user=address.user,
                password=address.password,
                tls=address.tls,
                name=address.name,
                environ=scene.environ,
            )
            opened.callback(session.close)
            sessions.append(session)
        source = SharedRedis(*sessions, name=address.name, database=database, clients=Clients(scene.running))
        source.read()
        opened.pop_all()
    return source


class Redis:
    """The commands, hits and misses of one server."""

    kind = KIND
    loud = False

    def __init__(self, session: Session, *, name: str) -> None:
        self.name = name
        self._session = session

    @property
    def note(self) -> str:
        """Empty: nothing was changed."""
        return ""

    def ask(self) -> None:
        """Send the question for both sections of INFO."""
        self._session.put(_INFO)

    def read(self) -> Snapshot:
        """Read the commands by name, hits and misses."""
        lines = self._session.ask(_INFO)
        found = parse(lines)
        if not {"hits", "misses"} <= set(found.counters):
            raise CensusError(f"{self._session.what} did not give its counters: {' '.join(lines)[:300]}")
        return found

    def close(self) -> None:
        """End redis-cli."""
        self._session.close()


class SharedRedis(Redis):
    """
    One database of a server, as far as nobody else works on the server meanwhile.

    Each read sets a mark in the stream of MONITOR before it asks for the totals. So whatever is in the totals of one
    read, and not in those of the one before, is before the mark of the next read: a ledger reads until two agree.
    """

    def __init__(self, session: Session, monitor: Session, *, name: str, database: str, clients: Clients) -> None:
        super().__init__(session, name=name)
        self._monitor, self._database, self._clients = monitor, database, clients
        self._mark, self._worked = "", 0
        monitor.send("MONITOR")
        monitor.until("OK")

    @property
    def note(self) -> str:
        """Which other clients' commands may be among the totals."""
        return self._clients.note

    def ask(self) -> None:
        """Send the question for both sections of INFO, after a mark."""
        self._mark = secrets.token_hex(12)
        self._session.put(f"ECHO {self._mark}\n{_INFO}")

    def read(self) -> Snapshot:
        """Read the commands by name, hits and misses."""
        if not self._mark:
            self.ask()
        mark, self._mark = self._mark, ""
        found = super().read()
        self._worked += self._by_others(self._monitor.until(mark))
        return replace(found, others=self._worked)

    def close(self) -> None:
        """End both sessions."""
        super().close()
        self._monitor.close()

    def _by_others(self, lines: Iterable[str]) -> int:
        """How many of the monitored commands came from other clients, or went to other databases."""
        commands = [found for line in lines if (found := _MONITORED.match(line))]
        work = [found for found in commands if found["command"].lower() not in CONTROL]
        elsewhere = [found for found in work if found["database"] != self._database]
        here = [found["client"] for found in work if found["database"] == self._database and found["client"] != "lua"]
        if not here:
            return len(elsewhere)
        ages = ages_of(self._session.ask("CLIENT LIST"))
        clients = [Client(id=client, socket=split(client), age_s=ages.get(client)) for client in set(here)]
        others = {client.id for client in self._clients.others(clients)}
        return len(elsewhere) + sum(client in others for client in here)


def ages_of(lines: Iterable[str]) -> dict[str, float]:
    """Parse the answer of CLIENT LIST: the least age in seconds that each client, by its address, can have."""
    return {address: float(age) - ROUNDED_S for address, age in _CLIENT.findall("\n".join(lines))}


def parse(lines: Iterable[str]) -> Snapshot:
    """Parse the answer of INFO; a subcommand ("config|get") counts under its command's name."""
    commands: dict[str, Work] = {}
    counters = {"commands": 0.0}
    for line in lines:
        name, _, value = line.strip().partition(":")
        if (found := _CALLS.match(line.strip())) and found[1].partition("|")[0].lower() not in CONTROL:
            commands[found[1].replace("|", " ").upper()] = Work(calls=int(found[2]))
            counters["commands"] += int(found[2])
        elif name in _COUNTERS and value.isdigit():
            counters[_COUNTERS[name]] = float(value)
    return Snapshot(counters=counters, statements=commands)
