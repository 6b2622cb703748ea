"""Decides to which hosts perfci may send load and data."""

import ipaddress
from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit


def split(url: str) -> SplitResult:
    """Split an HTTP or WebSocket address; ValueError says what is wrong with it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError(f"must be an http, https, ws or wss address with a host (got {url[:80]!r})")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or a password: addresses are shown in reports")
    _ = parts.port  # ValueError where it is none
    return parts


def is_loopback(url: str) -> bool:
    """Whether the address can only mean this machine."""
    host = split(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(url: str, names: Collection[str]) -> bool:
    """Whether the address means this machine, or a host among the *names* that the project allows."""
    return is_loopback(url) or _plain(split(url).hostname or "") in map(_plain, names)


def _plain(host: str) -> str:
    """The canonical form of a host; an IPv6 address has many forms, and stands in brackets within a URL."""
    bare = host.lower().removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def below(base_url: str, path: str) -> str:
    """The HTTP address of a *path* of the service at *base_url*: as Locust does it, and never another host's."""
    address = "http" + base_url.removeprefix("ws") if is_websocket(base_url) else base_url
    return address.rstrip("/") + path


def is_websocket(url: str) -> bool:
    """Whether the address is one of a WebSocket."""
    return url.startswith(("ws:", "wss:"))


def origin(url: str) -> tuple[str, int]:
    """Host and port of an address, which a redirect must not leave."""
    parts = split(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme in {"https", "wss"} else 80)
