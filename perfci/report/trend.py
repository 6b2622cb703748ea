"""
Renders trends: a format is one module and one line in `FORMATS`.

A trend is no run, and so has formats of its own beside those of `perfci.report`.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from perfci.model import Trend
from perfci.report import trend_json, trend_page, trend_text

FORMATS: Mapping[str, Callable[[Sequence[Trend]], str]] = MappingProxyType(
    {"text": trend_text.document, "json": trend_json.document, "html": trend_page.document}
)
"""What `perfci trend --format` offers."""
