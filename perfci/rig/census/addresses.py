"""Opens the databases and caches of `[census.databases]`, by the address with which the target reaches them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from perfci.errors import ConfigError
from perfci.model import Side
from perfci.rig.host.placeholders import fill
from perfci.rig.target.running import RunningTarget

SCHEMES = {
    **dict.fromkeys(("postgresql", "postgres"), "postgresql"),
    **dict.fromkeys(("mysql", "mariadb"), "mysql"),
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys"), "redis"),
}
"""The kind of source by the scheme of the address; what follows a `+` names a driver and is left out."""

_PLACEHOLDER = re.compile(r"\{([A-Za-z_]\w*)\}")
_QUOTING = "write / ? # and @ in the password as %2F %3F %23 and %40"
_OF_THE_RUN = ("side", "port", "dir")
_EXAMPLE = 'db = "postgresql://shop:{DB_PASSWORD}@127.0.0.1:5432/shop_{side}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The server, user and database of an address. Its texts do not hold the password."""

    name: str  # by which the project calls it
    kind: str
    tls: bool
    host: str
    port: int | None
    user: str
    password: str = field(repr=False)
    database: str
    options: tuple[tuple[str, str], ...] = ()  # of a PostgreSQL connection: "host", "sslmode" ...

    @property
    def connection(self) -> str:
        """The connection string for psql, without the password."""
        host = f"[{self.host}]" if ":" in self.host else quote(self.host, safe="")
        place = f"{host}:{self.port}" if self.port is not None else host
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        options = f"?{urlencode(self.options)}" if self.options else ""
        return f"postgresql://{user}{place}/{quote(self.database, safe='')}{options}"


def check(databases: Mapping[str, str], environ: Mapping[str, str], *, where: str) -> None:
    """Raise ConfigError where an address cannot be read, or names a variable that is not set."""
    for name, text in databases.items():
        try:
            _parsed(name, text, environ, {"side": Side.CANDIDATE, "port": 1, "dir": "/"})
        except LookupError as error:
            hint = "set it in the environment of perfci; in a workflow, in `env` of its step"
            raise ConfigError(f"{where}: {name}: {error}", hint=hint) from None
        except ValueError as error:
            raise ConfigError(f"{where}: {name}: {error}", hint=f"write it as {_EXAMPLE}") from None


def filled(
    databases: Mapping[str, str], kind: str, running: RunningTarget, *, side: Side, environ: Mapping[str, str]
) -> Iterator[Address]:
    """The addresses of a *kind* for the *running* target of a *side*; `check` must have accepted them before."""
    values = {"side": side, "port": urlsplit(running.base_url).port or "", "dir": running.directory or ""}
    for name, text in databases.items():
        address = _parsed(name, text, environ, values)
        if address.kind == kind:
            yield address


def _parsed(name: str, text: str, environ: Mapping[str, str], values: Mapping[str, object]) -> Address:
    """Parse an address; ValueError and LookupError do not quote it, since it may hold a password."""
    known = {**{key: value for key, value in environ.items() if value}, **values}
    if missing := [name for name in _PLACEHOLDER.findall(text) if name not in known]:
        raise LookupError(f"the variable {missing[0]} is not set")
    if (whole := _PLACEHOLDER.match(text)) and whole[1] not in _OF_THE_RUN:  # an address, which is quoted already
        text = f"{known[whole[1]]}{text[whole.end() :]}"
    try:
        parts = urlsplit(fill(text, {key: quote(str(value), safe="") for key, value in known.items()}))
    except ValueError:
        raise ValueError(f"cannot be read as an address; {_QUOTING}") from None
    kind = SCHEMES.get(parts.scheme.partition("+")[0].lower())
    if kind is None:
        raise ValueError(f"is no address of a database ({', '.join(SCHEMES)})")
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        raise ValueError(f"is ambiguous; {_QUOTING}")
    options = dict(parse_qsl(parts.query))
    secret = unquote(parts.password or "") or options.pop("password", "")
    try:
        port = parts.port
    except ValueError:
        raise ValueError(f"its port is no number; {_QUOTING}") from None
    return Address(
        name=name,
        kind=kind,
        tls=parts.scheme.lower() in {"rediss", "valkeys"},
        host=unquote(parts.hostname or ("" if kind == "postgresql" else "127.0.0.1")),
        port=port,
        user=unquote(parts.username or ""),
        password=secret,
        database=unquote(parts.path.removeprefix("/")),
        options=tuple(options.items()),
    )
