"""The one database of a process: engine, sessions, schema, and the temporary file behind the default."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import QueuePool

# As many as there are worker threads: nobody waits for a connection, none is opened in the middle of a measurement.
CONNECTIONS = 40
_ASK_AGAIN_S = 0.1


class Database:
    """Opens the database at `url`, or a temporary SQLite file if there is none."""

    def __init__(self, url: str, on_statement: Callable[[str], None], *, connections: int = CONNECTIONS) -> None:
        """Connects lazily; `on_statement` hears the text of every statement that ran."""
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        if not url:
            self._directory = tempfile.TemporaryDirectory(prefix="demo-")
            url = f"sqlite:///{Path(self._directory.name) / 'demo.sqlite'}"
        self.engine = _engine(url, durable=self._directory is None, connections=connections)
        self.session: sessionmaker[Session] = sessionmaker(self.engine, expire_on_commit=False)

        @event.listens_for(self.engine, "after_cursor_execute")
        def _count(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            on_statement(statement)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    @property
    def connections_in_use(self) -> int:
        """How many connections of the pool are taken."""
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    @property
    def connections_open(self) -> int:
        """How many connections the pool has opened, taken or not."""
        pool = self.engine.pool
        return pool.checkedin() + pool.checkedout() if isinstance(pool, QueuePool) else 0

    def ping(self) -> None:
        """Raise if the database does not answer."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def await_answer(self, limit_s: float) -> None:
        """Return as soon as the database answers; raise what it says if it does not within so many seconds."""
        deadline = time.monotonic() + limit_s
        while True:
            try:
                self.ping()
            except OperationalError:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(_ASK_AGAIN_S)
            else:
                return

    def close(self) -> None:
        """Close every connection and remove the temporary file."""
        self.engine.dispose()
        if self._directory is not None:
            self._directory.cleanup()


def _engine(url: str, *, durable: bool, connections: int) -> Engine:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    engine = create_engine(parsed, pool_size=connections, max_overflow=0, pool_use_lifo=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_pragmas(durable=durable))
    return engine


def _sqlite_pragmas(*, durable: bool) -> Callable[[Any, Any], None]:
    # A file that dies with the process has nothing to lose, and waiting for the disk is the disk's time, not ours.
    synchronous = "NORMAL" if durable else "OFF"

    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.close()

    return on_connect
