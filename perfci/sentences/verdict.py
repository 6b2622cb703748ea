"""Why the verdict on a whole run is what it is."""

from perfci.model import Finding, Reason, SloResult
from perfci.sentences.reason import reason


@reason
class Found:
    """A finding decides."""

    code = "finding"
    first: Finding
    more: int  # findings of this weight

    def __str__(self) -> str:
        return self.first.message + _and_more(self.more, "reason")


@reason
class SloBreached:
    """A limit that fails the run is breached."""

    code = "slo-breached"
    first: SloResult
    more: int

    def __str__(self) -> str:
        return _limit(self.first) + _and_more(self.more, "SLO")


@reason
class NoStoredRun:
    """There is nothing to compare times with."""

    code = "no-stored-run"
    unchanged: int  # counts of work that are as accepted

    def __str__(self) -> str:
        work = f"; {self.unchanged} counts of work are as accepted" if self.unchanged else ""
        return f"There is no stored run to compare with{work}"


@reason
class NothingCompared:
    """No series that has to be settled could be compared."""

    code = "nothing-compared"
    first: Reason | None  # of a series

    def __str__(self) -> str:
        return f"No required series could be compared{f': {self.first}' if self.first else ''}"


@reason
class Unsettled:
    """A series that has to be settled is not."""

    code = "unsettled"
    first: Reason
    more: int  # series

    def __str__(self) -> str:
        return f"{self.first}{_and_more(self.more, 'open series', plural='open series')}"


@reason
class SloOpen:
    """A limit that fails the run was held against nothing."""

    code = "slo-open"
    first: SloResult
    more: int

    def __str__(self) -> str:
        return _limit(self.first) + _and_more(self.more, "SLO")


@reason
class NoRegression:
    """Every series that has to be settled is, and none is worse."""

    code = "no-regression"
    reference: str
    compared: int  # required series
    improved: int  # of them
    accepted: bool  # some of them are worse, which is accepted

    def __str__(self) -> str:
        other = "other " if self.accepted else ""
        series = f"{self.compared} required series" if self.compared > 1 else "the required series"
        improved = f", {self.improved} of them improved" if self.improved else ""
        return f"No {other}regression against {self.reference} in {series}{improved}"


@reason
class WithAccepted:
    """Series are worse, and accepted."""

    code = "with-accepted"
    of: Reason  # of the verdict without them
    accepted: int
    only_counts: bool  # of work

    def __str__(self) -> str:
        if self.only_counts:
            return f"{self.of}; {self.accepted} counts of work grew and are accepted"
        return f"{self.of}; {self.accepted} series {'is' if self.accepted == 1 else 'are'} worse and accepted"


@reason
class NoSlo:
    """A run against limits has none."""

    code = "no-slo"

    def __str__(self) -> str:
        return "There is no SLO to hold against it: [[gate.slo]]"


@reason
class SloWarns:
    """Limits that fail the run are held, one that warns is not."""

    code = "slo-warns"
    first: SloResult

    def __str__(self) -> str:
        importance = self.first.slo.importance
        return f"Every SLO that fails the run is held; not so, and {importance}: {_limit(self.first)}"


@reason
class SlosHeld:
    """Every limit is held."""

    code = "slos-held"
    slos: int

    def __str__(self) -> str:
        return f"{'The SLO is' if self.slos == 1 else f'All {self.slos} SLOs are'} held"


def _limit(result: SloResult) -> str:
    return f"{result.slo.metric} of {result.slo.where}: {result.because}"


def _and_more(count: int, noun: str, *, plural: str = "") -> str:
    return "" if not count else f" (and {count} more {noun if count == 1 else plural or noun + 's'})"
