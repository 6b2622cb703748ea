"""
Renders an outcome for people and for programs.

A format is one module and one line in `FORMATS`. `rows` turns numbers into words, the formats only lay out.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from perfci.model import Outcome
from perfci.report import markdown, result_json, terminal
from perfci.report.rows import Links


class Renderer(Protocol):
    """A report format: an outcome in, a finished document out."""

    def __call__(self, outcome: Outcome, links: Links, /) -> str:
        """The whole document."""
        ...


FORMATS: Mapping[str, Renderer] = MappingProxyType(
    {
        "terminal": terminal.render,
        "markdown": markdown.comment,
        "summary": markdown.summary,
        "json": result_json.render,
    }
)


def render(fmt: str, outcome: Outcome, **links: Any) -> str:
    """*outcome* in one of the `FORMATS`; *links* are the fields of `Links`."""
    return FORMATS[fmt](outcome, Links(**links))
