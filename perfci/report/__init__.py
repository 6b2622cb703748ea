"""
Renders an outcome for people and for programs.

A format is one module and one line in `FORMATS`. `rows` turns numbers into words, the formats only lay out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from perfci.model import Outcome
from perfci.report import csv_table, html_page, junit, markdown, openmetrics, result_json, terminal
from perfci.report.view import Links, View


@dataclass(frozen=True, slots=True)
class Format:
    """One report format: how a view is rendered, and the file that a run writes."""

    render: Callable[[View], str]
    file: str = ""  # in the folder of the run; empty: it is made on request only


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "json": Format(result_json.document, "result.json"),
        "text": Format(terminal.document, "report.txt"),
        "markdown": Format(markdown.comment, "report.md"),
        "summary": Format(markdown.summary),
        "html": Format(html_page.document, "report.html"),
        "csv": Format(csv_table.document, "report.csv"),
        "junit": Format(junit.document, "junit.xml"),
        "openmetrics": Format(openmetrics.document, "metrics.txt"),
    }
)
"""The formats that `--format` offers; a run writes them in this order."""


def render(fmt: str, outcome: Outcome, **links: Any) -> str:
    """*outcome* alone in one of the `FORMATS`; *links* are the fields of `Links`."""
    return FORMATS[fmt].render(View(outcome=outcome, links=Links(**links)))
