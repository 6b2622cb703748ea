"""Reads the request logs that the generator's processes write (format: `inside/perfci_log.py`)."""

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfci.errors import LoadError
from perfci.model import AnswerForm, Lateness, Requests
from perfci.rig.host.masking import Mask
from perfci.schema.unicode import json_text

MAGIC = b"perfci-log 5\n"
COLUMNS = "ddIBHQBI"
LATE_COLUMNS = "Idd"
START_COLUMNS = "dddB"
START, ENDPOINT, FAILED, FORM, USER = 0, 2, 3, 6, 7  # columns
MOST_FORMS = 255
HEAD = 5  # bytes of a chunk before its payload


@dataclass(slots=True)
class LogReader:
    """
    The request log of one process, as far as it has been written; call `poll` again to read more.

    All times are of this machine's clock: a worker elsewhere begins its log with the difference to its own clock.
    """

    path: Path
    mask: Mask = field(default_factory=Mask)
    names: list[str] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)  # name -> its endpoint, where that is another
    forms: list[AnswerForm] = field(default_factory=list)
    users: list[str] = field(default_factory=list)  # the class of each user that sent requests
    columns: "list[array[Any]]" = field(default_factory=lambda: _empty(COLUMNS))
    late: "list[array[Any]]" = field(default_factory=lambda: _empty(LATE_COLUMNS))
    starts: "list[array[Any]]" = field(default_factory=lambda: _empty(START_COLUMNS))
    events: list[dict[str, Any]] = field(default_factory=list)
    complete: bool = False
    failures: int = 0
    _shift_s: float = 0.0
    _offset: int = 0

    def poll(self) -> None:
        """Read the chunks that have been written completely."""
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
        tables = {b"R": self.columns, b"L": self.late, b"S": self.starts}
        rows: dict[bytes, list[memoryview]] = {kind: [] for kind in tables}
        for kind, payload in _chunks(data, used):
            if kind in rows:
                rows[kind].append(payload)
            else:
                self._take(kind, bytes(payload))
            used += HEAD + len(payload)
        for kind, columns in tables.items():
            self._take_rows(rows[kind], columns)
        self._offset += used

    def _take(self, kind: bytes, payload: bytes) -> None:
        match kind:
            case b"N":
                named = self.mask.inside(json.loads(json_text(payload)))
                self.names.extend(name for name, _ in named)
                self.endpoints.update((name, endpoint) for name, endpoint in named if name != endpoint)
            case b"F":
                self.forms.extend(AnswerForm(*form) for form in json.loads(json_text(payload)))
            case b"U":
                self.users.extend(json.loads(json_text(payload)))
            case b"J":
                self._happened(json.loads(json_text(payload)))
            case b"Z":
                self.complete = True
            case _:
                raise LoadError(f"{self.path} holds a chunk of unknown kind {kind!r}: the file is damaged")

    def _happened(self, event: dict[str, Any]) -> None:
        if event["what"] == "clock":
            self._shift_s = event["shift_s"]
        event["at"] += self._shift_s
        self.events.append({**self.mask.inside(event), "what": event["what"]})

    def _take_rows(self, chunks: Sequence[memoryview], columns: "list[array[Any]]") -> None:
        """All at once: columns of millions that grow second by second are copied again and again."""
        counts = [int.from_bytes(chunk[:4], "little") for chunk in chunks]
        width, before = sum(column.itemsize for column in columns), 0
        if any(len(chunk) != 4 + count * width for chunk, count in zip(chunks, counts, strict=True)):
            raise LoadError(f"{self.path} holds rows of unequal columns: the file is damaged")
        for position, column in enumerate(columns):
            starts = (4 + count * before for count in counts)
            parts = zip(chunks, starts, counts, strict=True)
            first = len(column)
            column.frombytes(b"".join(chunk[at : at + count * column.itemsize] for chunk, at, count in parts))
            if position == START and self._shift_s and columns is not self.late:
                column[first:] = array("d", (start_s + self._shift_s for start_s in column[first:]))
            if position == FAILED and columns is self.columns:
                self.failures += sum(column[first:])
            before += column.itemsize


def _empty(codes: str) -> "list[array[Any]]":
    return [array(code) for code in codes]


def _chunks(data: bytes, at: int) -> Iterator[tuple[bytes, memoryview]]:
    view = memoryview(data)
    while at + HEAD <= len(data):
        length = int.from_bytes(data[at + 1 : at + HEAD], "little")
        if at + HEAD + length > len(data):
            return
        yield data[at : at + 1], view[at + HEAD : at + HEAD + length]
        at += HEAD + length


def requests_of(readers: Iterable[LogReader]) -> Requests:
    """The requests of all processes in one table."""
    names: dict[str, int] = {}
    endpoints: dict[str, str] = {}
    forms: dict[AnswerForm, int] = {}
    users: list[str] = []
    merged, late = _empty(COLUMNS), _empty(LATE_COLUMNS)
    scheduled = False
    for reader in readers:
        before = len(merged[0])
        late[0].extend(before + row for row in reader.late[0])
        for column, more in zip(late[1:], reader.late[1:], strict=True):
            column.extend(more)
        scheduled = scheduled or bool(reader.starts[0])
        endpoints |= reader.endpoints
        numbers = [names.setdefault(name, len(names)) for name in reader.names]
        formed = [0, *(_numbered(form, forms) for form in reader.forms)]
        sent = [0, *range(len(users) + 1, len(users) + len(reader.users) + 1)]
        users.extend(reader.users)
        for position, column in enumerate(reader.columns):
            renamed = {ENDPOINT: numbers, FORM: formed, USER: sent}.get(position)
            merged[position].extend(column if renamed is None else _renumbered(column, renamed))
    starts, latencies, numbered, failed, statuses, sizes, looks, senders = merged
    return Requests(
        names=tuple(names),
        start_s=starts,
        latency_ms=latencies,
        endpoint=numbered,
        failed=failed,
        status=statuses,
        size=sizes,
        form=looks,
        forms=tuple(forms),
        user=senders,
        users=tuple(users),
        lateness=Lateness(*late) if scheduled else None,
        endpoints=endpoints,
    )


def _renumbered(column: "array[int]", numbers: Sequence[int]) -> "array[int]":
    if numbers == list(range(len(numbers))):
        return column
    return array(column.typecode, map(numbers.__getitem__, column))


def _numbered(form: AnswerForm, forms: dict[AnswerForm, int]) -> int:
    """The number of a form, a new one if necessary; 0 where the column has room for no more."""
    if form not in forms and len(forms) >= MOST_FORMS:
        return 0
    return forms.setdefault(form, len(forms) + 1)
