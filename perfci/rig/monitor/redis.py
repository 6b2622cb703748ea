"""Reads the hit rate, clients and memory of Redis and compatible servers from INFO."""

from collections.abc import Iterator

from perfci.errors import MonitorError, PerfciError
from perfci.rig.host.clients import REDIS, redis_cli
from perfci.rig.host.session import Session
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source

KIND = "redis"
_NEEDED = {"keyspace_hits", "keyspace_misses", "connected_clients", "used_memory"}


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source for every container in which such a server runs."""
    for container in scene.running.containers:
        programs = scene.programs.get(container.id, frozenset())
        if not programs & REDIS or not scene.wants(container.service, KIND):
            continue
        try:
            session = redis_cli(
                container.id, service=container.service, command=container.command, environ=scene.environ
            )
            yield Redis(session, service=container.service)
        except PerfciError as error:
            yield Missing(name=container.service, why=str(error))


class Redis:
    """The gauges of one server, not counting perfci's own client."""

    every_s = ASKED_S

    def __init__(self, session: Session, *, service: str) -> None:
        self.name = session.what
        self._service, self._session = service, session

    def read(self) -> Readings:
        """The share of lookups since the last read that found their key; clients and memory now."""
        lines = self._session.ask("INFO stats\nINFO clients\nINFO memory")
        pairs = (line.strip().partition(":") for line in lines)
        found = {name: float(value) for name, _, value in pairs if name in _NEEDED and value.isdigit()}
        if set(found) != _NEEDED:
            raise MonitorError(f"{self.name} did not tell its state: {' '.join(lines)[:300]}")
        hits, lookups = found["keyspace_hits"], found["keyspace_hits"] + found["keyspace_misses"]
        return {
            f"{self._service}/hit_rate": Reading(value=100 * hits, unit="%", per=lookups),
            f"{self._service}/clients": Reading(value=found["connected_clients"] - 1),
            f"{self._service}/used_memory": Reading(value=found["used_memory"] / 1e6, unit="MB"),
        }

    def close(self) -> None:
        """End redis-cli."""
        self._session.close()
