"""
PostgreSQL: calls, rows and shared blocks of every statement, from the extension pg_stat_statements.

Its counters live in shared memory and are raised before the client has its answer. Those of the server itself
(pg_stat_database) are no substitute: a session hands its own in at most once a second, and an idle one after ten.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census import statements
from perfci.rig.census.addresses import Address
from perfci.rig.census.clients import Client, Clients
from perfci.rig.census.source import Scene, Snapshot, Source, Work
from perfci.rig.host.clients import POSTGRESQL, psql, psql_at
from perfci.rig.host.session import COMING_UP, Session, kept, once_up
from perfci.rig.target.running import Container

KIND = "postgresql"
OWN = "/* perfci */"  # by which its own statements are known among those of the service

_LOADED = "SELECT /* perfci */ current_setting('pg_stat_statements.max', true) IS NOT NULL;"
_TEMPORARY = "SELECT /* perfci */ current_setting('listen_addresses') = '';"
_EXTENSION = "CREATE SCHEMA IF NOT EXISTS perfci; CREATE EXTENSION IF NOT EXISTS pg_stat_statements SCHEMA perfci;"
_SCHEMA = """SELECT /* perfci */ quote_ident(nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE extname = 'pg_stat_statements';"""
_RESET = "SELECT /* perfci */ pg_stat_statements_reset();"
_TOTALS = """SELECT /* perfci */ queryid, sum(calls), sum(rows), sum(shared_blks_hit + shared_blks_read)
FROM pg_stat_statements(false) WHERE queryid IS NOT NULL GROUP BY queryid;"""
_OWN_TOTALS = _TOTALS.replace(
    " GROUP BY",
    """ AND userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) GROUP BY""",
)
_SESSIONS = """SELECT /* perfci */ '@', pid, extract(epoch FROM clock_timestamp() - backend_start),
coalesce(host(client_addr), '-'), coalesce(client_port, -1), coalesce(replace(state, ' ', '-'), '-'),
extract(epoch FROM backend_start), coalesce(extract(epoch FROM state_change), 0) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND usename = current_user AND datname = current_database()
AND application_name <> 'perfci';"""
_TEXTS = """SELECT /* perfci */ json_build_array(queryid::text, query)
FROM pg_stat_statements(true) WHERE queryid = ANY('{%s}'::bigint[]);"""
_NOT_CREATED = "its database lacks the extension: CREATE EXTENSION pg_stat_statements"
_LAG = "the server's own counters (transactions, tuples) come seconds late and cannot be told apart by request"


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source for every container in which PostgreSQL runs."""
    for container in scene.running.containers:
        if not scene.programs.get(container.id, frozenset()) & POSTGRESQL or not scene.wants(container.service, KIND):
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
    session = psql(container.id, service=container.service, environ=environ)
    name, note = container.service, container.added
    with kept(session):
        if session.ask(_TEMPORARY) == ["t"]:  # the one that an image sets its database up with
            raise CensusError(f"{session.what} is set up: {COMING_UP}")
        if session.ask(_LOADED) != ["t"]:
            session.close()
            why = "; ".join(filter(None, ("pg_stat_statements is not preloaded", note, _LAG)))
            return CounterSource(name=name, kind=KIND, found=False, note=why)
        refusal = session.ask(_EXTENSION)
        schema = session.ask(_SCHEMA)
        if len(schema) != 1:
            raise CensusError(f"{session.what} has no pg_stat_statements: {' '.join(refusal or schema)[:300]}")
        session.ask(f"SET search_path = {schema[0]};")
        session.ask(_RESET)  # seeding may have filled it
        return PostgreSQL(session, name=name, note=note)


def _reached(address: Address, scene: Scene) -> Source:
    """Open a server at an address, which others may use as well: nothing is created or reset there."""
    session = psql_at(address.connection, password=address.password, name=address.name, environ=scene.environ)
    with kept(session):
        loaded = session.ask(_LOADED)
        if loaded == ["f"]:
            raise CensusError(f"pg_stat_statements is not preloaded; {_LAG}")
        schema = session.ask(_SCHEMA)
        if loaded != ["t"] or len(schema) != 1:
            said = " ".join([*session.greeting, *loaded, *schema])[:300] if loaded != ["t"] else _NOT_CREATED
            raise CensusError(f"{session.what}: {said}")
        session.ask(f"SET search_path = {schema[0]};")
        source = SharedPostgreSQL(session, name=address.name, clients=Clients(scene.running))
        source.read()
        return source


class PostgreSQL:
    """The statements in all databases of one server, for which pg_stat_statements counts as a whole."""

    kind = KIND
    loud = False
    question = _TOTALS

    def __init__(self, session: Session, *, name: str, note: str = "") -> None:
        self.name, self._note = name, note
        self._session = session
        self._texts: dict[str, str] = {}  # normalised; empty for its own

    @property
    def note(self) -> str:
        """What perfci changed so that the server counts."""
        return self._note

    def ask(self) -> None:
        """Send the question for the totals."""
        self._session.put(self.question)

    def read(self) -> Snapshot:
        """Read calls, rows and blocks of each statement; the text of a statement is fetched once."""
        return self._counted(self._session.ask(self.question))

    def _counted(self, lines: Iterable[str]) -> Snapshot:
        rows = [self._numbers(line) for line in lines]
        self._learn([identity for identity, _ in rows if identity not in self._texts])
        return snapshot((self._texts.get(identity, ""), work) for identity, work in rows)

    def close(self) -> None:
        """End psql."""
        self._session.close()

    def _numbers(self, line: str) -> tuple[str, Work]:
        try:
            identity, calls, rows, blocks = line.split(" ")
            return identity, Work(calls=int(calls), rows=int(rows), blocks=int(blocks))
        except ValueError:
            raise CensusError(f"{self._session.what} did not give its counters: {line[:300]}") from None

    def _learn(self, unknown: list[str]) -> None:
        if not unknown:
            return
        for line in self._session.ask(_TEXTS % ",".join(unknown)):
            try:
                identity, text = json.loads(line)
            except ValueError:
                raise CensusError(f"{self._session.what} did not give its statements: {line[:300]}") from None
            own = OWN in (text or "")
            self._texts.setdefault(identity, "" if own else statements.normal(text or ""))


class SharedPostgreSQL(PostgreSQL):
    """
    What one user does in one database of a server.

    The sessions are looked at before the totals. So whatever is in the totals of one read, and not in those of the one
    before, has its session seen at work by the next read at the latest, and a ledger reads until two agree.
    """

    question = f"{_SESSIONS}\n{_OWN_TOTALS}"

    def __init__(self, session: Session, *, name: str, clients: Clients) -> None:
        super().__init__(session, name=name)
        self._clients = clients

    @property
    def note(self) -> str:
        """Which other clients' statements may be among the totals."""
        return self._clients.note

    def _counted(self, lines: Iterable[str]) -> Snapshot:
        received = list(lines)
        worked = self._clients.worked([self._client(line) for line in received if line.startswith("@ ")])
        return replace(super()._counted([line for line in received if not line.startswith("@ ")]), others=worked)

    def _client(self, line: str) -> Client:
        try:
            _, pid, age, host, port, state, *since = line.split(" ")
            socket = None if host == "-" else (host, int(port))
            return Client(id=f"{pid} {since[0]}", socket=socket, age_s=float(age), work=f"{state} {since[1]}")
        except (ValueError, IndexError):
            raise CensusError(f"{self._session.what} did not give its sessions: {line[:300]}") from None


def snapshot(rows: Iterator[tuple[str, Work]]) -> Snapshot:
    """The statements among *rows* of (normalised text, totals) that are work; rows of the same text are added up."""
    found: dict[str, Work] = {}
    totals: Counter[str] = Counter(statements=0, rows=0, blocks=0)
    for text, work in rows:
        if not statements.is_work(text):
            continue
        totals.update(statements=work.calls, rows=work.rows or 0, blocks=work.blocks or 0)
        found[text] = _sum(found[text], work) if text in found else work
    return Snapshot(counters=_floats(totals), statements=found)


def _floats(totals: Mapping[str, int]) -> dict[str, float]:
    return {name: float(total) for name, total in totals.items()}


def _sum(work: Work, other: Work) -> Work:
    return Work(
        calls=work.calls + other.calls,
        rows=(work.rows or 0) + (other.rows or 0),
        blocks=(work.blocks or 0) + (other.blocks or 0),
    )
