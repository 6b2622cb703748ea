"""Reads from the headers of a response what its status and size do not show: content type, encoding, protocol."""

from typing import Any, NamedTuple

LONGEST = 100
OFTEN = 32
"""The first responses of each endpoint whose headers are all read."""
EVERY = 16
"""Of the later ones, one in so many is read: three headers cost more than the whole record of a request."""


_HEADERS = ("content-type", "content-encoding")


class Form(NamedTuple):
    """What the headers of a response say; each field is empty where they say nothing."""

    content_type: str  # without its parameters, of which a boundary is another each time
    encoding: str  # "gzip"
    protocol: str  # "HTTP/1.1", and ", closed" where the connection is not kept


def form_of(response: Any) -> Form | None:
    """The form of an HTTP response of either of Locust's clients; None for anything else, or without headers."""
    try:
        headers = response.headers
        version, closed = _connection(response)
        content_type, encoding = (_text(headers.get(name)).partition(";")[0].strip() for name in _HEADERS)
        return Form(content_type, encoding, version + (", closed" if closed else ""))
    except Exception:  # noqa: BLE001  # clients of other protocols put anything there
        return None


def _connection(response: Any) -> tuple[str, bool]:
    """The protocol, and whether the service closes the connection after the response."""
    raw = getattr(response, "raw", None)
    if raw is not None:  # of requests, where the version is 10 or 11
        version = {10: "HTTP/1.0", 11: "HTTP/1.1", 20: "HTTP/2"}.get(raw.version, "")
    else:
        version = _text(response._response.version).upper()  # noqa: SLF001  # Locust's fast client has no public way
    wish = _text(response.headers.get("connection"))
    return version, wish == "close" or (version == "HTTP/1.0" and wish != "keep-alive")


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        value = ", ".join(map(str, value))
    return "" if value is None else str(value)[:LONGEST].strip().lower()
