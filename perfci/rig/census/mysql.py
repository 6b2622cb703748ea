"""
MySQL and MariaDB: calls and rows of every statement, from the digests of the performance schema.

They know no blocks; the rows that were examined tell of a lost index in their place.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census import statements
from perfci.rig.census.addresses import Address
from perfci.rig.census.clients import Client, Clients, split
from perfci.rig.census.source import Scene, Snapshot, Source, Work
from perfci.rig.host.clients import MYSQL_OPTIONS, mysql_at
from perfci.rig.host.session import COMING_UP, Session, inside, kept, once_up
from perfci.rig.target.running import Container

KIND = "mysql"
PROGRAMS = frozenset({"mysqld", "mariadbd"})

_CLIENT = """
client=$(command -v mariadb || command -v mysql) || { echo 'it has no mysql'; exit; }
file=${MYSQL_ROOT_PASSWORD_FILE:-${MARIADB_ROOT_PASSWORD_FILE:-/dev/null}}
export MYSQL_PWD="${MYSQL_ROOT_PASSWORD:-${MARIADB_ROOT_PASSWORD:-$(cat "$file")}}"
exec "$client" --user=root """ + " ".join(MYSQL_OPTIONS)
# Its own thread first: it does not count itself. Then forget what seeding has done.
_PRELUDE = """UPDATE performance_schema.threads SET INSTRUMENTED = 'NO' WHERE PROCESSLIST_ID = CONNECTION_ID();
TRUNCATE TABLE performance_schema.events_statements_summary_by_digest;"""
_TEMPORARY = "SELECT @@skip_networking;"
_LOADED = "SELECT @@performance_schema;"
_TOTALS = (
    "SELECT DIGEST_TEXT, SUM(COUNT_STAR), SUM(SUM_ROWS_SENT + SUM_ROWS_AFFECTED), SUM(SUM_ROWS_EXAMINED) "
    "FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT IS NOT NULL GROUP BY DIGEST_TEXT;"
)
_OF_SCHEMA = _TOTALS.replace(" GROUP BY", " AND SCHEMA_NAME = '%s' GROUP BY")
_SESSIONS = """SELECT '@', t.PROCESSLIST_ID, p.HOST, SUM(e.COUNT_STAR) FROM performance_schema.threads t
JOIN information_schema.PROCESSLIST p ON p.ID = t.PROCESSLIST_ID
JOIN performance_schema.events_statements_summary_by_thread_by_event_name e ON e.THREAD_ID = t.THREAD_ID
WHERE t.PROCESSLIST_DB = '%s' GROUP BY t.PROCESSLIST_ID, p.HOST;"""


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source for every container in which such a server runs."""
    for container in scene.running.containers:
        if not scene.programs.get(container.id, frozenset()) & PROGRAMS or not scene.wants(container.service, KIND):
            continue
        try:
            yield once_up(partial(_opened, container, scene.environ))
        except CensusError as error:
            yield CounterSource(name=container.service, kind=KIND, found=False, note=str(error))
    for address in scene.addresses(KIND):
        try:
            yield _reached(address, scene)
        except CensusError as error:
            yield CounterSource(name=address.name, kind=KIND, found=False, note=str(error))


def _opened(container: Container, environ: Mapping[str, str]) -> Source | CounterSource:
    """Open the source, or say why the server cannot count."""
    name, note = container.service, container.added
    what = f"MySQL in service {name!r}"
    session = inside(container.id, _CLIENT, what=what, sentinel="SELECT '{}';", environ=environ)
    with kept(session):
        if session.ask(_TEMPORARY) == ["1"]:  # the one that an image sets its database up with
            raise CensusError(f"{what} is set up: {COMING_UP}")
        loaded = session.ask(_LOADED)
        if loaded == ["0"]:
            session.close()
            why = "; ".join(filter(None, ("the performance schema is off (performance_schema=ON turns it on)", note)))
            return CounterSource(name=name, kind=KIND, found=False, note=why)
        refusal = session.ask(_PRELUDE)
        if loaded != ["1"] or refusal:
            raise CensusError(f"{session.what} does not show its counters: {' '.join(refusal or loaded)[:300]}")
        source = MySQL(session, name=name, note=note)
        source.read()
        return source


def _reached(address: Address, scene: Scene) -> Source:
    """Open a server at an address, which others may use as well: no setting is changed and no total reset."""
    if not re.fullmatch(r"[\w$-]+", address.database):
        raise CensusError("its address names no schema: mysql://USER:PASSWORD@HOST/SCHEMA")
    session = mysql_at(
        address.host,
        address.port or 3306,
        user=address.user,
        password=address.password,
        name=address.name,
        environ=scene.environ,
    )
    with kept(session):
        if (loaded := session.ask(_LOADED)) != ["1"]:
            off = "the performance schema is off (performance_schema=ON turns it on)"
            raise CensusError(f"{session.what}: {off if loaded == ['0'] else ' '.join(loaded)[:300]}")
        source = SharedMySQL(session, name=address.name, schema=address.database, clients=Clients(scene.running))
        source.read()
        return source


class MySQL:
    """The statements in all schemas of one server."""

    kind = KIND
    loud = False
    question = _TOTALS

    def __init__(self, session: Session, *, name: str, note: str = "") -> None:
        self.name, self._note = name, note
        self._session = session

    @property
    def note(self) -> str:
        """What perfci changed so that the server counts."""
        return self._note

    def ask(self) -> None:
        """Send the question for the totals."""
        self._session.put(self.question)

    def read(self) -> Snapshot:
        """Calls and rows of each statement, and the rows examined by all."""
        try:
            return self._counted(self._session.ask(self.question))
        except ValueError as error:
            raise CensusError(f"{self._session.what} did not give its counters: {str(error)[:300]}") from None

    def _counted(self, lines: list[str]) -> Snapshot:
        return parse(lines)

    def close(self) -> None:
        """End the client."""
        self._session.close()


class SharedMySQL(MySQL):
    """The statements in one schema of a server; sessions are read before the totals, as with PostgreSQL."""

    def __init__(self, session: Session, *, name: str, schema: str, clients: Clients) -> None:
        super().__init__(session, name=name)
        self.question = f"{_SESSIONS % schema}\n{_OF_SCHEMA % schema}"
        self._clients = clients

    @property
    def note(self) -> str:
        """Which other clients' statements may be among the totals."""
        return self._clients.note

    def _counted(self, lines: list[str]) -> Snapshot:
        sessions = [line.split("\t") for line in lines if line.startswith("@\t")]
        if bad := [cells for cells in sessions if len(cells) != 4]:
            raise ValueError("\t".join(bad[0]))
        worked = self._clients.worked(Client(id=id_, socket=split(host), work=work) for _, id_, host, work in sessions)
        return replace(super()._counted([line for line in lines if not line.startswith("@\t")]), others=worked)


def parse(lines: list[str]) -> Snapshot:
    """Parse what the client prints in batch mode: four columns with tabs; ValueError quotes a line that is not."""
    counters = {"statements": 0.0, "rows": 0.0, "rows_examined": 0.0}
    found: dict[str, Work] = {}
    for line in lines:
        cells = line.split("\t")
        if len(cells) != 4 or not all(cell.isdigit() for cell in cells[1:]):
            raise ValueError(line)
        text = statements.normal(cells[0])
        if not statements.is_work(text):
            continue
        calls, rows, examined = (int(cell) for cell in cells[1:])
        for name, value in (("statements", calls), ("rows", rows), ("rows_examined", examined)):
            counters[name] += value
        before = found.get(text, Work(calls=0, rows=0))
        found[text] = Work(calls=before.calls + calls, rows=(before.rows or 0) + rows)
    return Snapshot(counters=counters, statements=found)
