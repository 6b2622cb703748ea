"""Reading the request logs that the generator's processes wrote (format: `inside/perfci_log.py`)."""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
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
        rows: list[memoryview] = []
        for kind, payload in _chunks(data, used):
            if kind == b"R":
                rows.append(payload)
            else:
                self._take(kind, bytes(payload))
            used += HEAD + len(payload)
        self._take_rows(rows)
        self._offset += used

    def _take(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"N":
                self.names.extend(json.loads(payload))
            case b"J":
                self.events.append(json.loads(payload))
            case b"Z":
                self.complete = True
            case _:
                raise LoadError(f"{self.path} holds a chunk of unknown kind {kind!r}: the file is damaged")

    def _take_rows(self, chunks: Sequence[memoryview]) -> None:
        """All at once: columns of millions that grow second by second are copied again and again."""
        counts = [int.from_bytes(chunk[:4], "little") for chunk in chunks]
        width, before = sum(column.itemsize for column in self.columns), 0
        if any(len(chunk) != 4 + count * width for chunk, count in zip(chunks, counts, strict=True)):
            raise LoadError(f"{self.path} holds rows of unequal columns: the file is damaged")
        for column in self.columns:
            starts = (4 + count * before for count in counts)
            parts = zip(chunks, starts, counts, strict=True)
            column.frombytes(b"".join(chunk[at : at + count * column.itemsize] for chunk, at, count in parts))
            before += column.itemsize


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    while at + HEAD <= len(data):
        length = int.from_bytes(data[at + 1 : at + HEAD], "little")
        if at + HEAD + length > len(data):
            return
        yield data[at : at + 1], view[at + HEAD : at + HEAD + length]
        at += HEAD + length


def requests_of(readers: Iterable[LogReader]) -> Requests:
    """All processes' requests in one table."""
    names: dict[str, int] = {}
    merged: list[array[Any]] = [array(code) for code in COLUMNS]
    for reader in readers:
        numbers = [names.setdefault(name, len(names)) for name in reader.names]
        for position, column in enumerate(reader.columns):
            merged[position].extend(_renumbered(column, numbers) if position == 2 else column)
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


def _renumbered(endpoints: "array[int]", numbers: Sequence[int]) -> "array[int]":
    if numbers == list(range(len(numbers))):
        return endpoints
    return array("I", map(numbers.__getitem__, endpoints))
