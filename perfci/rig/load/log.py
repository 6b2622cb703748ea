"""Reading the request logs that the generator's processes wrote (format: `inside/perfci_log.py`)."""

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfci.errors import LoadError
from perfci.model import Requests

MAGIC = b"perfci-log 1\n"
COLUMNS = "ddIBHQ"
HEAD = 5  # bytes of a chunk before its payload


@dataclass(slots=True)
class LogReader:
    """One process's log, read as far as it has been written; call `poll` again for what came since."""

    path: Path
    names: list[str] = field(default_factory=list)
    columns: "list[array[Any]]" = field(default_factory=lambda: [array(code) for code in COLUMNS])
    events: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False
    _offset: int = 0

    def poll(self) -> None:
        """Read the chunks that are whole by now."""
        with self.path.open("rb") as file:
            file.seek(self._offset)
            data = file.read()
        used = 0
        if self._offset == 0 and len(data) >= len(MAGIC):
            if not data.startswith(MAGIC):
                raise LoadError(f"{self.path} is not a request log of this version (it begins with {data[:16]!r})")
            used = len(MAGIC)
        elif self._offset == 0:
            return
        for kind, payload in _chunks(data, used):
            self._take(kind, payload)
            used += HEAD + len(payload)
        self._offset += used

    def _take(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"N":
                self.names.extend(json.loads(payload))
            case b"R":
                self._take_rows(payload)
            case b"J":
                self.events.append(json.loads(payload))
            case b"Z":
                self.complete = True
            case _:
                raise LoadError(f"{self.path} holds a chunk of unknown kind {kind!r}: the file is damaged")

    def _take_rows(self, payload: bytes) -> None:
        count, at = int.from_bytes(payload[:4], "little"), 4
        if len(payload) != at + count * sum(column.itemsize for column in self.columns):
            raise LoadError(f"{self.path} holds rows of unequal columns: the file is damaged")
        for column in self.columns:
            size = count * column.itemsize
            column.frombytes(payload[at : at + size])
            at += size


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, bytes]]:
    while at + HEAD <= len(data):
        length = int.from_bytes(data[at + 1 : at + HEAD], "little")
        if at + HEAD + length > len(data):
            return
        yield data[at : at + 1], data[at + HEAD : at + HEAD + length]
        at += HEAD + length


def requests_of(readers: Iterable[LogReader]) -> Requests:
    """All processes' requests in one table."""
    names: dict[str, int] = {}
    merged: list[array[Any]] = [array(code) for code in COLUMNS]
    for reader in readers:
        numbers = [names.setdefault(name, len(names)) for name in reader.names]
        for position, column in enumerate(reader.columns):
            merged[position].extend(array("I", [numbers[i] for i in column]) if position == 2 else column)
    starts, latencies, endpoints, failed, statuses, sizes = merged
    return Requests(
        names=tuple(names),
        start_s=starts,
        latency_ms=latencies,
        endpoint=endpoints,
        failed=failed,
        status=statuses,
        size=sizes,
    )
