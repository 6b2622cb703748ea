"""The values that `perfci init` guesses from a repository."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing that was guessed, and the evidence for it."""

    what: str
    value: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """One way to start the service: the table `[target]` without its readiness check."""

    kind: str  # "compose", "command" or "dockerfile", as `--target` names them
    table: Mapping[str, object]
    guesses: tuple[Guess, ...]
    health: str = ""  # the path of a health check that the repository names
    files: Mapping[str, str] = field(default_factory=dict)  # to be written beside perfci.toml
    todo: tuple[str, ...] = ()  # what somebody who knows the service has to look at
    prefix: str = ""  # of all paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Get:
    """A GET request that changes nothing, according to its description."""

    path: str  # to be asked, with a query where it needs one
    name: str  # of the endpoint: the path with its parameters in braces
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """An endpoint that the load does not use, and the reason."""

    name: str
    why: str
