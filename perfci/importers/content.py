"""The bytes of a file as text, lines, CSV rows or JSON, in any common encoding, even if truncated."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

HEAD = 64 * 1024
"""Bytes that are read to recognise a format."""

_BYTE_ORDER_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


@dataclass(frozen=True)
class Content:
    """A file's bytes, decoded on demand."""

    data: bytes

    @cached_property
    def text(self) -> str:
        """
        The text: decoded by its byte order mark, else as UTF-8, else as GB 18030 (which includes GBK), as Chinese
        Windows writes it.

        Bytes of neither become replacement characters: names may suffer, numbers do not.
        """
        for mark, encoding in _BYTE_ORDER_MARKS:
            if self.data.startswith(mark):
                return self.data[len(mark) :].decode(encoding, errors="replace")
        for encoding in ("utf-8", "gb18030"):
            try:
                return self.data.decode(encoding)
            except UnicodeDecodeError:
                continue
        return self.data.decode("utf-8", errors="replace")

    @cached_property
    def head(self) -> str:
        """The beginning of the text, in one encoding or another: enough to recognise a format."""
        return Content(self.data[:HEAD]).text if len(self.data) > HEAD else self.text

    @property
    def first_line(self) -> str:
        """The first line that is not blank, without spaces at its ends."""
        return next((line.strip() for line in self.head.splitlines() if line.strip()), "")

    @cached_property
    def json(self) -> Any:
        """The content as JSON; None where it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def fields(self) -> dict[str, Any]:
        """The content as a JSON object; empty where it is none."""
        return self.json if isinstance(self.json, dict) else {}

    def json_lines(self) -> Iterator[dict[str, Any]]:
        """Every line as a JSON object; ValueError at a line that is none, as a truncated file has at its end."""
        for number, line in enumerate(self.text.splitlines(), start=1):
            if line.strip():
                found = json.loads(line) if line.lstrip().startswith("{") else None
                if not isinstance(found, dict):
                    raise ValueError(f"line {number} is no JSON object")
                yield found

    def rows(self, delimiter: str = ",") -> Iterator[dict[str, str]]:
        """The rows of a CSV file by the names of its columns, without blank lines; ValueError for a cut-off row."""
        lines = (line for line in io.StringIO(self.text, newline="") if line.strip())
        reader = csv.DictReader(lines, delimiter=delimiter, restkey="", skipinitialspace=True)
        try:
            for row in reader:
                if any(value is None for value in row.values()):
                    raise ValueError(f"line {reader.line_num} has fewer columns than the first one")
                yield {name.strip(): value for name, value in row.items() if name and isinstance(value, str)}
        except csv.Error as error:
            raise ValueError(f"line {reader.line_num}: {error}") from None

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The names of a CSV file's columns, as its first line has them."""
        try:
            return tuple(name.strip() for name in next(csv.reader([self.first_line], skipinitialspace=True), []))
        except csv.Error:
            return ()


def number(value: object) -> float | None:
    """*value* as a finite number; None for nothing, "N/A" and their like; ValueError for any other text."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip()
        if value.lower() in {"", "n/a", "none", "null", "nan", "-"}:
            return None
    if not isinstance(value, (int, float, str)):
        raise ValueError(f"{str(value)[:60]!r} is no number")  # noqa: TRY004  # of a file, not of an argument
    found = float(value)
    return found if isfinite(found) else None


def count(value: object) -> int | None:
    """*value* as a count; None where there is none; ValueError for a negative one."""
    found = number(value)
    if found is not None and found < 0:
        raise ValueError(f"{found:g} is no count")
    return None if found is None else int(found)


def milliseconds(value: object, unit: str) -> float | None:
    """*value* in ns, us, ms, s, m or h, as milliseconds; None where there is none."""
    found = number(value)
    return None if found is None else found * _MILLISECONDS[unit]


_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}
