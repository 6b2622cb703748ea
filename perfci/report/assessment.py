"""The assessment of a run in words: grade, analyses, capacity and recommendations."""

from collections.abc import Iterator

from perfci.model import Analysis, Assessment, Capacity, Outcome
from perfci.report import rows


def lines(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Each part of the assessment, by its name; empty for a run without limits."""
    found = outcome.assessment
    if found is None:
        return
    if found.grade:
        yield "Grade", f"{found.grade} ({bands(found)})"
    for analysis in found.analyses:
        yield "Analysis", _analysis(analysis)
    if found.capacity is not None:
        yield "Capacity", _capacity(found.capacity)
    for each in found.recommendations:
        yield "Advice", f"{each.cause}: {each.advice}"


def bands(found: Assessment) -> str:
    """The parts of the grade: "response good, failures excellent"."""
    return ", ".join(f"{name} {band}" for name, band in found.bands.items())


def _analysis(found: Analysis) -> str:
    value, low, high = rows.values((found.value, found.low, found.high), found.metric)
    interval = "" if found.low == found.high else f" [{low}, {high}]"
    evidence = f"; {found.evidence}" if found.evidence else ""
    return f"{rows.metric_label(found.metric)} {value}{interval}{evidence}"


def _capacity(found: Capacity) -> str:
    more = "" if found.broke else " at least"
    per_core = f", {found.per_second / found.cores:.3g} for each core" if found.cores else ""
    return f"{found.users} users{more}, {found.per_second:.4g} requests/s{per_core}; plan for 70 % of it"
