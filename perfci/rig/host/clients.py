"""Clients of databases and caches, run in the containers of their servers: what census and monitor both ask."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from perfci.rig.host.session import Session, inside

POSTGRESQL = frozenset({"postgres"})
"""Programs by which a container with PostgreSQL is known."""

REDIS = frozenset({"redis-server", "valkey-server", "keydb-server"})
"""The same for Redis and its kin."""

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
    """psql in the *container* with this id, as the user that its image was given; *service* is named in errors."""
    return inside(
        container,
        _PSQL,
        what=f"PostgreSQL in service {service!r}",
        sentinel="\\echo {}",
        environ=environ,
        prelude=_PSQL_PRELUDE,
    )


def redis_cli(container: str, *, service: str, command: Sequence[str], environ: Mapping[str, str]) -> Session:
    """redis-cli in the *container* with this id, with the port and the password of the server's *command*."""
    port, password = _option(command, "--port"), _option(command, "--requirepass")
    return inside(
        container,
        _REDIS_CLI % int(port if port.isdigit() else 6379),
        what=f"Redis in service {service!r}",
        sentinel="ECHO {}",
        environ=environ,
        secret={"REDISCLI_AUTH": password} if password else None,
    )


def _option(command: Sequence[str], name: str) -> str:
    return next((value for option, value in pairwise(command) if option == name), "")
