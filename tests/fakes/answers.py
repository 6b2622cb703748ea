"""What arrives at the fake API, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request that arrived."""

    method: str
    path: str  # without the api/v3 prefix
    query: Mapping[str, str]
    authorized: bool
    body: Any


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; status 0 is none at all."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    drip_s: float = 0.0
