"""Redis, Valkey and their kin: calls of every command, and how often a key was there, from INFO."""

import re
from collections.abc import Iterable, Iterator

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.source import Scene, Snapshot, Source, Work
from perfci.rig.host.clients import REDIS, redis_cli
from perfci.rig.host.session import Session, kept
from perfci.rig.target.running import Container

KIND = "redis"
CONTROL = frozenset(
    {"ping", "echo", "info", "command", "client", "hello", "auth", "select", "config", "quit", "reset", "readonly"}
    | {"replconf", "psync", "role", "latency", "memory", "slowlog", "debug", "time", "dbsize", "lastsave"}
)
"""Of connections, of health checks and of whoever watches the server, as perfci does: no work of the service."""

_INFO = "INFO commandstats\nINFO stats"
_CALLS = re.compile(r"cmdstat_([^:]+):calls=(\d+),")
_COUNTERS = {"keyspace_hits": "hits", "keyspace_misses": "misses"}


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """One source for every container in which such a server runs."""
    for container in scene.running.containers:
        if not scene.programs.get(container.id, frozenset()) & REDIS or not scene.wants(container.service, KIND):
            continue
        try:
            yield _opened(scene, container)
        except CensusError as error:
            yield CounterSource(name=container.service, kind=KIND, found=False, note=str(error))


def _opened(scene: Scene, container: Container) -> Source:
    session = redis_cli(container.id, service=container.service, command=container.command, environ=scene.environ)
    with kept(session):
        source = Redis(session, name=container.service)
        source.read()
    return source


class Redis:
    """The counters of one server."""

    kind = KIND
    loud = False
    note = ""

    def __init__(self, session: Session, *, name: str) -> None:
        self.name = name
        self._session = session

    def ask(self) -> None:
        """Ask for both sections of INFO."""
        self._session.put(_INFO)

    def read(self) -> Snapshot:
        """Commands by name, hits and misses."""
        lines = self._session.ask(_INFO)
        found = parse(lines)
        if not {"hits", "misses"} <= set(found.counters):
            raise CensusError(f"{self._session.what} did not give its counters: {' '.join(lines)[:300]}")
        return found

    def close(self) -> None:
        """End redis-cli."""
        self._session.close()


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
