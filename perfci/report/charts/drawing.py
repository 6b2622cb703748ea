"""
Draws Vega-Lite specifications as SVG, to be a part of an HTML page.

Colours are the page's CSS variables, so that one picture serves light, dark and print.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from perfci.model import Metric, Quantity

WIDTH = 330
"""Width of a chart in a grid, in pixels: a phone shows one in a row, a wide screen three."""

Spec = dict[str, Any]
"""A Vega-Lite specification, or a part of one."""

BASE, CANDIDATE, INK, QUIET, LINE = "var(--base)", "var(--candidate)", "var(--ink)", "var(--quiet)", "var(--line)"

_CONFIG: Spec = {
    "aria": False,  # the page names the whole picture
    "background": None,
    "padding": 4,
    "autosize": {"type": "fit-x", "contains": "padding"},
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "domainColor": LINE,
        "tickColor": LINE,
        "gridColor": LINE,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "tickSize": 3,
        "labelPadding": 5,
        "titlePadding": 6,
        "labelOverlap": True,
        "labelSeparation": 6,
    },
}
_LABELS: Mapping[Quantity, str] = {
    Quantity.TIME: (
        "abs(datum.value) >= 1000 ? format(datum.value / 1000, '~r') + ' s' : "
        "abs(datum.value) >= 0.1 || datum.value === 0 ? format(datum.value, '.3~r') + ' ms' : "
        "format(datum.value * 1000, '.3~r') + ' µs'"
    ),
    Quantity.SHARE: "format(datum.value * 100, '.3~r') + ' %'",
}
_TAG = re.compile("<[^>]*>")
_SHORTER = (  # within tags: what says nothing in a page, which names the whole picture
    (re.compile(r' (?:aria-\w+|role|pointer-events|xmlns(?::xlink)?|version|font-family|font-weight)="[^"]*"'), ""),
    (re.compile(r' class="[^"]*"| font-size="11px"| opacity="1"| stroke-width="1"'), ""),
    (re.compile(r"(\d\.\d)\d+"), r"\1"),
    (re.compile(r'<path(?: d="(?:M0,0h0v0h0Z)?"| display="none")*/>'), ""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One picture; *name* is its text alternative."""

    name: str
    svg: str  # markup that is safe in HTML
    narrow: str = ""  # the same for a narrow screen, where that needs another drawing
    title: str = ""
    note: str = ""


def svg(spec: Spec) -> str:
    """*spec* as SVG markup; empty where the library is absent, or cannot draw it."""
    from markupsafe import Markup

    library = _library()
    if library is None:
        return ""
    try:
        drawn: str = library.vegalite_to_svg({**spec, "config": _CONFIG})
    except ValueError:  # whatever went wrong: the tables say the same
        return ""
    return Markup(_TAG.sub(_shorter, drawn))  # noqa: S704  # Vega escapes every text of the data


def _shorter(tag: re.Match[str]) -> str:
    text = tag[0]
    for pattern, replacement in _SHORTER:
        text = pattern.sub(replacement, text)
    return text


@cache
def _library() -> ModuleType | None:
    try:
        import vl_convert
    except ImportError:
        return None
    module: ModuleType = vl_convert
    return module


def labels(metric: Metric) -> Spec:
    """The axis labels of a *metric*; times and shares are written with their unit."""
    return {"labelExpr": _LABELS.get(metric.quantity, "format(datum.value, ',.3~r')")}


def values(rows: Sequence[Mapping[str, object]]) -> Spec:
    """The data of a chart or a layer."""
    return {"values": list(rows)}
