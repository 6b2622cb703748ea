"""Starts clients of databases and caches: in the container of the server, or on this machine for a remote server."""

import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from itertools import pairwise

from perfci.errors import CensusError
from perfci.rig.host.environment import child_environment, of_job
from perfci.rig.host.session import ANSWER_S, Session, inside

POSTGRESQL = frozenset({"postgres"})
"""A container that runs one of these programs is a PostgreSQL server."""

REDIS = frozenset({"redis-server", "valkey-server", "keydb-server"})
"""A container that runs one of these programs is a Redis server, or a compatible one."""

MYSQL_OPTIONS = ("--batch", "--skip-column-names", "--unbuffered", "--force", "--connect-timeout=5")

_SETTINGS = re.compile(r"PG[A-Z]+$|MYSQL_|MARIADB_|REDISCLI_")

_PSQL = """
user=${POSTGRES_USER:-$(cat "${POSTGRES_USER_FILE:-/dev/null}")}
export PGPASSWORD="${POSTGRES_PASSWORD:-$(cat "${POSTGRES_PASSWORD_FILE:-/dev/null}")}" PGCONNECT_TIMEOUT=5
exec psql -XAtq -F ' ' -U "${user:-postgres}" -d postgres
"""
_PSQL_PRELUDE = "SET client_min_messages = error; SET statement_timeout = '4s';"
_REDIS_CLI = """
client=$(command -v redis-cli || command -v valkey-cli || command -v keydb-cli) || { echo 'it has no redis-cli'; exit; }
auth="${REDISCLI_AUTH:-${REDIS_PASSWORD:-$VALKEY_PASSWORD}}"
[ -z "$auth" ] || export REDISCLI_AUTH="$auth"
exec "$client" -p %d
"""


def psql(container: str, *, service: str, environ: Mapping[str, str]) -> Session:
    """Start psql in the container with this id, as the user that its image names; errors name *service*."""
    return inside(
        container,
        _PSQL,
        what=f"PostgreSQL in service {service!r}",
        sentinel="\\echo {}",
        environ=environ,
        prelude=_PSQL_PRELUDE,
    )


def redis_cli(container: str, *, service: str, command: Sequence[str], environ: Mapping[str, str]) -> Session:
    """Start redis-cli in the container with this id, with the port and password of the server's *command*."""
    port, password = _option(command, "--port"), _option(command, "--requirepass")
    return inside(
        container,
        _REDIS_CLI % int(port if port.isdigit() else 6379),
        what=f"Redis in service {service!r}",
        sentinel="ECHO {}",
        environ=environ,
        secret={"REDISCLI_AUTH": password} if password else None,
    )


def psql_at(connection: str, *, password: str, name: str, environ: Mapping[str, str]) -> Session:
    """Start psql on this machine with a *connection* string without its password; errors name *name*."""
    program = _program(("psql",), package="postgresql-client", environ=environ)
    return Session(
        [program, "-XAtq", "-F", " ", "-d", connection],
        what=f"PostgreSQL {name!r}",
        sentinel="\\echo {}",
        environment=_environment(environ, PGPASSWORD=password, PGCONNECT_TIMEOUT="5", PGAPPNAME="perfci"),
        prelude=_PSQL_PRELUDE,
    )


def redis_cli_at(
    host: str, port: int, *, user: str, password: str, tls: bool, name: str, environ: Mapping[str, str]
) -> Session:
    """Start redis-cli on this machine, or a compatible client; errors name *name*."""
    program = _program(("redis-cli", "valkey-cli", "keydb-cli"), package="redis-tools", environ=environ)
    try:
        socket.create_connection((host, port), timeout=ANSWER_S).close()
    except OSError as error:  # redis-cli itself would try for ever
        raise CensusError(f"Redis {name!r} cannot be reached: {error.strerror or error}") from None
    options = [*(["--user", user] if user else []), *(["--tls"] if tls else []), "--no-auth-warning"]
    return Session(
        [program, "-h", host, "-p", str(port), *options],
        what=f"Redis {name!r}",
        sentinel="ECHO {}",
        environment=_environment(environ, REDISCLI_AUTH=password),
    )


def mysql_at(host: str, port: int, *, user: str, password: str, name: str, environ: Mapping[str, str]) -> Session:
    """Start a MySQL or MariaDB client on this machine, without a schema; errors name *name*."""
    program = _program(("mariadb", "mysql"), package="mariadb-client", environ=environ)
    place = [f"--host={host}", f"--port={port}", "--protocol=tcp", *([f"--user={user}"] if user else [])]
    return Session(
        [program, "--no-defaults", *place, *MYSQL_OPTIONS],
        what=f"MySQL {name!r}",
        sentinel="SELECT '{}';",
        environment=_environment(environ, MYSQL_PWD=password),
    )


def _program(names: Sequence[str], *, package: str, environ: Mapping[str, str]) -> str:
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH")):
            return found
    raise CensusError(f"{names[0]} is not on this machine: install it in a step before perfci ({package})")


def _environment(environ: Mapping[str, str], **own: str) -> dict[str, str]:
    """Drop the job's own settings of such clients, which would connect them to another server."""
    kept = of_job(environ).without(lambda variable: bool(_SETTINGS.match(variable)))
    return child_environment(kept, {name: value for name, value in own.items() if value})


def _option(command: Sequence[str], name: str) -> str:
    return next((value for option, value in pairwise(command) if option == name), "")
