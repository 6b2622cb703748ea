"""Findings about work that was not counted, or cannot be compared."""

from perfci.model import Reason, Weight
from perfci.sentences.finding import finding, listed

NAMED = 8


@finding
class Absent:
    """The reference has counts of work, and the candidate has none."""

    code = "census-absent"
    weight = Weight.WARNING
    message = "The reference has counts of work, but nothing was counted on the candidate"
    hint = ""


@finding
class Unreached:
    """Endpoints got too few requests to be counted."""

    code = "census-unreached"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    hint = ""

    @property
    def message(self) -> str:
        return f"Not counted, because not reached often enough: {listed(self.endpoints, NAMED)}"


@finding
class NoFile:
    """There is no census.json to compare with."""

    code = "census-no-reference"
    weight = Weight.WARNING
    message = "There is no census.json to compare the work of a request with"
    hint = "`perfci baseline record` writes one."


@finding
class BaseNotCounted:
    """The work of the base was not counted."""

    code = "census-no-reference"
    weight = Weight.WARNING
    message = "The work of the base was not counted, so there is nothing to compare with"
    hint = ""


@finding
class Unlike:
    """Work was counted under other conditions than that of the reference."""

    code = "census-unlike"
    weight = Weight.WARNING
    obstacle: Reason
    hint = "Count and record again under these conditions."

    @property
    def message(self) -> str:
        return f"Work is not compared: {self.obstacle}"


@finding
class OnReferenceOnly:
    """Endpoints were counted on the reference only."""

    code = "census-endpoints"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    hint = ""

    @property
    def message(self) -> str:
        return f"Counted on the reference only: {listed(self.endpoints, NAMED)}"


@finding
class NewEndpoints:
    """Endpoints were counted on the candidate only."""

    code = "census-endpoints"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    hint = ""

    @property
    def message(self) -> str:
        return f"New endpoints, whose work cannot be compared: {listed(self.endpoints, NAMED)}"
