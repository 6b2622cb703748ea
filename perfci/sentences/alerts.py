"""What is said of alerts: limits on gauges that may not be exceeded for longer than a stated time."""

from dataclasses import dataclass

from perfci.model import Side, Weight
from perfci.sentences.finding import finding
from perfci.sentences.reason import reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """One alert that was raised in one round."""

    alert: str
    gauge: str
    upper: bool  # limit; else a lower one
    limit: float
    unit: str
    seconds: int
    extreme: float  # the value farthest beyond the limit
    block: int
    side: Side

    def __str__(self) -> str:
        """Where, for how long, and how far."""
        limit = f"{'above' if self.upper else 'below'} {amount(self.limit, self.unit)}"
        extreme = f"{_short(self.extreme)} {'at most' if self.upper else 'at least'}"
        where = f"in block {self.block} of the {self.side} ({extreme})"
        return f"{self.alert}: {self.gauge} was {limit} for {self.seconds} s {where}"


@reason
class LevelKept:
    """In how many rounds a gauge kept to the limit of an alert that fails the run."""

    code = "level-kept"
    within: int
    rounds: int  # that can tell
    limit: float
    unit: str
    longest: Raised | None  # None: the alert was never raised

    def __str__(self) -> str:
        """The rounds, and where it was beyond the limit for longest."""
        beyond = f"; {self.longest}" if self.longest else ""
        return f"{self.within}/{self.rounds} rounds within {amount(self.limit, self.unit)}{beyond}"


@reason
class Unchecked:
    """Why no round could tell whether an alert is to be raised."""

    code = "alert-unchecked"
    alert: str
    gauge: str
    seconds: float  # that the alert needs
    rounds: bool  # there was a load round
    longest_s: int | None  # for which the gauge was read without a break; None: it was not read at all
    near: tuple[str, ...]  # gauges that were

    def __str__(self) -> str:
        """What was missing."""
        unchecked = f"the alert {self.alert} could not be checked"
        if not self.rounds:
            return f"{unchecked}: there was no load round"
        if self.longest_s is not None:
            needed = f"it needs {self.seconds:g} s of {self.gauge} in a row"
            return f"{unchecked}: {needed}, and no round has more than {self.longest_s} s"
        near = f", but {', '.join(self.near)}" if self.near else ""
        return f"{unchecked}: {self.gauge} was not monitored{near}"


@finding
class AlertUnchecked:
    """No round could tell."""

    code = "alert-unchecked"
    weight = Weight.WARNING
    unchecked: Unchecked
    hint = ""

    @property
    def message(self) -> str:
        return str(self.unchecked)


@finding
class Alert:
    """An alert was raised, and only warns."""

    code = "alert"
    weight = Weight.WARNING
    longest: Raised
    raised: int  # rounds of the candidate
    rounds: int  # of the candidate that can tell
    base_raised: int
    base_rounds: int
    hint = ""

    @property
    def message(self) -> str:
        more = f", and in {self.raised - 1} more of {self.rounds} rounds" if self.raised > 1 else ""
        base = f"; on the base in {self.base_raised} of {self.base_rounds} rounds" if self.base_rounds else ""
        return f"{self.longest}{more}{base}"


def level_name(gauge: str, seconds: float) -> str:
    """What an alert on the *gauge* is called among the limits."""
    return f"{gauge} for {seconds:g} s"


def level_meaning(gauge: str, seconds: float) -> str:
    """What is held against the limit of an alert."""
    return f"The level that {gauge} kept for {seconds:g} s."


def amount(value: float, unit: str) -> str:
    """A value of a gauge with its unit."""
    return f"{value:.10g} {unit}".rstrip()


def _short(value: float) -> str:
    return f"{float(f'{value:.4g}'):.10g}"
