"""How a fake server answers otherwise than usual, and how it makes its clients wait for each other."""

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Failure:
    """What to answer instead, the first *times* requests that match."""

    method: str
    path: str  # regular expression
    body: str = ""  # regular expression: only requests whose text holds it
    status: int = 0  # 0: answer as usual, after the delay
    message: str = "injected"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hang: bool = False  # until the server stops
    raw: str | None = None  # a body that is no JSON
    done: bool = False  # do what was asked for, and only then answer otherwise
    cut: bool = False  # close the connection without an answer
    drip_s: float = 0.0  # seconds between the bytes of the answer
    times: int = 1_000_000

    @property
    def spoils(self) -> bool:
        """Whether the answer is another one than usual."""
        return bool(self.status or self.cut or self.raw is not None)

    def matches(self, method: str, path: str, body: object = None) -> bool:
        """Whether this is a request to spoil."""
        return (
            self.times > 0
            and method == self.method
            and re.search(self.path, path) is not None
            and re.search(self.body, str(body)) is not None
        )


@dataclass(kw_only=True)
class Gathering:
    """Requests that wait for each other: the first *times* * parties that match, in groups."""

    method: str
    path: str  # regular expression
    barrier: threading.Barrier
    answered: bool  # whether they wait with their answers, or before anything is done
    left: int

    def matches(self, method: str, path: str) -> bool:
        """Whether this is a request that waits."""
        return self.left > 0 and method == self.method and re.search(self.path, path) is not None
