"""Reads how many clients are connected to PostgreSQL, and how many of them work or wait."""

from collections.abc import Iterator

from perfci.errors import MonitorError, PerfciError
from perfci.rig.host.clients import POSTGRESQL, psql
from perfci.rig.host.session import Session
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source

KIND = "postgresql"
NAMES = ("connections", "connections_active", "connections_idle", "connections_idle_in_transaction")
# Those without a state are still logging in, as health checks do again and again.
_QUESTION = """SELECT /* perfci */ count(*), count(*) FILTER (WHERE state = 'active'),
count(*) FILTER (WHERE state = 'idle'), count(*) FILTER (WHERE state LIKE 'idle in transaction%')
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state IS NOT NULL AND pid <> pg_backend_pid();"""


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source for every container in which PostgreSQL runs."""
    for container in scene.running.containers:
        programs = scene.programs.get(container.id, frozenset())
        if not programs & POSTGRESQL or not scene.wants(container.service, KIND):
            continue
        try:
            session = psql(container.id, service=container.service, environ=scene.environ)
            yield PostgreSQL(session, service=container.service)
        except PerfciError as error:
            yield Missing(name=container.service, why=str(error))


class PostgreSQL:
    """The gauges of one server, not counting perfci's own session."""

    every_s = ASKED_S

    def __init__(self, session: Session, *, service: str) -> None:
        self.name = session.what
        self._service, self._session = service, session

    def read(self) -> Readings:
        """The connected clients by state."""
        lines = self._session.ask(_QUESTION)
        counts = lines[0].split() if len(lines) == 1 else []
        if len(counts) != len(NAMES) or not all(count.isdigit() for count in counts):
            raise MonitorError(f"{self.name} did not tell its connections: {' '.join(lines)[:300]}")
        readings = zip(NAMES, counts, strict=True)
        return {f"{self._service}/{name}": Reading(value=float(count)) for name, count in readings}

    def close(self) -> None:
        """End psql."""
        self._session.close()
