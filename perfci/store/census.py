"""`census.json` on disk, one line for each counter of an endpoint and for each statement."""

import json
from collections.abc import Iterator
from pathlib import Path

from perfci.errors import ResultError
from perfci.model import CommittedCensus
from perfci.store.census_json import FORMAT, census_of, fields_of
from perfci.store.files import read_json, write_atomically

CENSUS = "census.json"


def save_census(census: CommittedCensus, path: Path) -> None:
    """Write *census* to *path* in one step."""
    write_atomically(path, "".join(_laid_out({**FORMAT.head(), **fields_of(census)})) + "\n")


def load_census(path: Path) -> CommittedCensus:
    """Read the census in *path*; ResultError says why it cannot be used."""
    missing = ResultError(f"there is no {path}", hint="`perfci baseline record` writes one")
    file, content = read_json(path, what="census", missing=missing)
    return census_of(FORMAT.read(content, where=str(file)))


def _laid_out(value: object, depth: int = 0) -> Iterator[str]:
    """JSON with one line for each counter and each statement."""
    if not isinstance(value, dict) or not value or (depth > 1 and not any(isinstance(v, dict) for v in value.values())):
        yield json.dumps(value)
        return
    pad = " " * (depth + 1)
    yield "{\n"
    for number, (name, inner) in enumerate(value.items()):
        yield ",\n" if number else ""
        yield f"{pad}{json.dumps(name)}: "
        yield from _laid_out(inner, depth + 1)
    yield "\n" + " " * depth + "}"
