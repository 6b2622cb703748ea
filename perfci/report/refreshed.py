"""Renders what a refreshed baseline changes, as the Markdown of its pull request."""

from collections.abc import Sequence
from dataclasses import dataclass

from perfci.report.sanitise import code, prose


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """One metric of one endpoint before and after the refresh; None where no run has it."""

    endpoint: str
    metric: str
    unit: str
    before: float | None
    after: float | None


def markdown(title: str, rows: Sequence[Refreshed], notes: Sequence[str]) -> str:
    """A heading, a table with a row for each series, and notes."""
    lines = [f"## The baseline of {code(title)}", ""]
    lines += [f"- {prose(note, 400)}" for note in notes]
    lines += ["", "| Endpoint | Metric | Before | After | Change |", "| :--- | :--- | ---: | ---: | ---: |"]
    lines += [
        f"| {code(row.endpoint)} | `{row.metric}` | {_value(row.before, row.unit)} | {_value(row.after, row.unit)} |"
        f" {_change(row)} |"
        for row in rows
    ]
    return "\n".join(lines) + "\n"


def _value(value: float | None, unit: str) -> str:
    return "none" if value is None else f"{value:.4g} {unit}".rstrip()


def _change(row: Refreshed) -> str:
    if not row.before or row.after is None:
        return ""
    return f"{100 * (row.after / row.before - 1):+.1f} %"
