"""Absolute limits, and how much each of them matters."""

from dataclasses import dataclass
from enum import StrEnum

from perfci.model.measured import ALL_ENDPOINTS


class Importance(StrEnum):
    """How much a limit matters: the first two make the verdict red, the others warn."""

    CRITICAL = "critical"
    HIGH = "high"
    IMPORTANT = "important"
    MEDIUM = "medium"

    @property
    def fails(self) -> bool:
        """Whether a breach makes the verdict red."""
        return self in {Importance.CRITICAL, Importance.HIGH}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """An absolute limit on the candidate, judged in every round under load."""

    metric: str
    limit: float  # upper limit where lower is better, else the lower one
    endpoint: str = ALL_ENDPOINTS  # or a pattern: a limit on each endpoint that it names; or the name of a group
    members: tuple[str, ...] = ()  # patterns of the endpoints of a group, which are judged as one; empty: no group
    phase: str = ""  # of the load, as its stages are called; empty: the whole round
    user: str = ""  # class of users whose requests alone count; empty: those of all
    throughout_s: float = 0.0  # length of the windows in each of which the limit holds; 0: in the round as a whole
    importance: Importance = Importance.CRITICAL

    @property
    def fails(self) -> bool:
        """Whether a breach makes the verdict red."""
        return self.importance.fails

    @property
    def whole(self) -> bool:
        """Whether the limit is on all requests of a round together."""
        return self.endpoint == ALL_ENDPOINTS and not (self.members or self.phase or self.user or self.throughout_s)

    @property
    def where(self) -> str:
        """What the limit is on, for the reader: "GET /a", "(auth) in spike", "GET /a by Viewer"."""
        named = f"{self.endpoint} by {self.user}" if self.user else self.endpoint
        when = f"any {self.throughout_s:g} s" if self.throughout_s else self.phase
        return f"{named} in {when}" if when else named
