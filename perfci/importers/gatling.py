"""Gatling's `simulation.log`, which is text up to version 3.13; the binary one of later versions is only recognised."""

from perfci.importers.content import Content, number
from perfci.importers.foreign import ForeignResult, Sample, requests_of

_OUTCOMES = ("OK", "KO")


def recognises(content: Content) -> bool:
    """Whether *content* is a log of either kind."""
    return content.first_line.startswith("RUN\t") or _is_binary(content)


def parse(content: Content) -> ForeignResult:
    """Every request; groups stand before its name."""
    if _is_binary(content):
        raise ValueError("from version 3.14 on Gatling's log is binary, and nobody but Gatling reads it")
    samples = [
        _sample(line.split("\t"), number_)
        for number_, line in enumerate(content.text.splitlines(), start=1)
        if line.startswith("REQUEST\t")
    ]
    return ForeignResult(tool="Gatling", requests=requests_of(samples), notes=("Gatling notes whole milliseconds",))


def _is_binary(content: Content) -> bool:
    """Whether the record of a run comes first, as the binary log has it: a zero byte, then the version's length."""
    head = content.data[:64]
    return head[:4] == b"\x00\x00\x00\x00" and head[5:6].isdigit() and b"." in head[5:16]


def _sample(fields: list[str], line: int) -> Sample:
    """A line: REQUEST, in some versions a user, groups, name, begin, end, OK or KO, message."""
    at = next((place for place, field in enumerate(fields) if field in _OUTCOMES and place >= 4), None)
    if at is None:
        raise ValueError(f"line {line} has neither OK nor KO")
    began, ended = number(fields[at - 2]), number(fields[at - 1])
    if began is None or ended is None or ended < began:
        raise ValueError(f"line {line} has no times")
    groups = [group for group in fields[at - 4].split(",") if group and not group.isdigit()]
    return Sample(
        name=" / ".join([*groups, fields[at - 3]]),
        start_s=began / 1000,
        latency_ms=ended - began,
        failed=fields[at] == "KO",
    )
