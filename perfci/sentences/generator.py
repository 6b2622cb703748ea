"""Findings about the load generator, its request log and the machine's clock."""

from perfci.model import Side, Weight
from perfci.sentences.finding import Shows, finding, percent


@finding
class Saturated:
    """The load generator was the bottleneck."""

    code = "generator-saturated"
    weight = Weight.INVALID
    side: Side
    saturated: int  # rounds
    rounds: int
    hint = "Use fewer users, or a lighter client (FastHttpUser)."

    @property
    def message(self) -> str:
        return f"The load generator was saturated in {self.saturated} of {self.rounds} rounds of the {self.side.value}"


@finding
class Busy:
    """The load generator used most of a core."""

    code = "generator-busy"
    weight = Weight.WARNING
    share: float  # of a core, at most
    hint = "Above 90 % it slows down what it measures."

    @property
    def message(self) -> str:
        return f"The load generator used up to {percent(self.share)} of a core"


@finding
class Starved:
    """The load generator did not get enough processor time."""

    code = "generator-starved"
    weight = Weight.WARNING
    share: float  # of its time
    hint = "Something else uses the machine, or it has too few cores."

    @property
    def message(self) -> str:
        return f"The load generator waited for a core up to {percent(self.share)} of its time"


@finding
class Late:
    """The event loop of the load generator ran late."""

    code = "generator-late"
    weight = Weight.WARNING
    lag_ms: float
    hint = ""

    @property
    def message(self) -> str:
        return f"The load generator's event loop was up to {self.lag_ms:.0f} ms late"


@finding
class StoodStill:
    """The load generator itself paused for a while."""

    code = "generator-stood-still"
    weight = Weight.INVALID
    seconds: int
    hint = ""

    @property
    def message(self) -> str:
        return f"The load generator stood still for {self.seconds} s"


def _first_error(error: str) -> str:
    return f"The first error: {error}." if error else "Its output is in the logs of the run: locust.out."


@finding
class CandidateEndedLoad:
    """The Locust file ended every round of a kind on the candidate, but none on the reference."""

    code = "load-ended"
    weight = Weight.REGRESSION
    why: str
    first_error: str  # with its count; empty where none was recorded

    @property
    def message(self) -> str:
        return f"The candidate made the Locust file end the load; the reference did not: {self.why}"

    @property
    def hint(self) -> str:
        return _first_error(self.first_error)


@finding
class LoadEnded:
    """The Locust file ended the run, or its users could not start."""

    code = "load-ended"
    weight = Weight.INVALID
    sides: tuple[Side, ...]  # of the rounds that ended
    ended: int  # rounds
    rounds: int
    why: str
    first_error: str

    @property
    def message(self) -> str:
        where = "on both sides" if len(self.sides) > 1 else f"on the {self.sides[0].value}"
        return f"The Locust file itself ended the load {where}, in {self.ended} of {self.rounds} rounds: {self.why}"

    @property
    def hint(self) -> str:
        return _first_error(self.first_error)


def _traceback(first: str) -> str:
    return f"{f'The first: {first}. ' if first else ''}Run the profile by hand to see the traceback."


@finding
class EveryTaskRaises:
    """Every task of the load raised an exception."""

    code = "tasks-raise"
    who: Shows
    first: str  # exception with its task; empty where none was recorded
    hint = "Run the profile by hand to see the traceback."

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did(f"made every task of the load raise{f' ({self.first})' if self.first else ''}")


@finding
class TasksRaised:
    """Some tasks of the load raised an exception."""

    code = "task-exceptions"
    weight = Weight.WARNING
    exceptions: int
    side: Side | None  # the only one of both where it happened
    first: str

    @property
    def message(self) -> str:
        where = f", all of them on the {self.side.value}" if self.side else ""
        return f"{self.exceptions} tasks of the load raised an exception{where}"

    @property
    def hint(self) -> str:
        return _traceback(self.first)


@finding
class RoundTooLong:
    """perfci ended a load generator that did not end by itself."""

    code = "round-too-long"
    weight = Weight.INVALID
    ended: int  # rounds
    rounds: int
    limit_s: float
    hint = "Was it slow to start its users, or does a request hang? Fewer users, or a timeout in the Locust file."

    @property
    def message(self) -> str:
        return (
            f"perfci ended the load generator in {self.ended} of {self.rounds} rounds, "
            f"because it was still running after {self.limit_s:.0f} s"
        )


@finding
class RecordIncomplete:
    """The request log of a round is incomplete."""

    code = "record-incomplete"
    weight = Weight.INVALID
    broken: int  # rounds
    rounds: int
    hint = "A process of the load generator ended early."

    @property
    def message(self) -> str:
        return f"The request log of {self.broken} of {self.rounds} rounds is incomplete"


@finding
class RoundCut:
    """A load round was shorter than planned."""

    code = "round-cut"
    weight = Weight.INVALID
    cut: int  # rounds
    rounds: int
    shortest_s: float
    planned_s: float
    hint = "See the incidents of the run."

    @property
    def message(self) -> str:
        how = f"{self.shortest_s:.1f} s of {self.planned_s:g} s"
        return f"{self.cut} of {self.rounds} load rounds were cut short: {how}"


@finding
class DuetCut:
    """A duet was much shorter than the others."""

    code = "duet-cut"
    weight = Weight.WARNING
    cut: int  # blocks
    blocks: int
    hint = "Its blocks count like the others, and scatter more."

    @property
    def message(self) -> str:
        return f"The duet was cut short in {self.cut} of {self.blocks} blocks"


@finding
class ClockAbsurd:
    """Rounds hold impossible times."""

    code = "clock-absurd"
    weight = Weight.INVALID
    wrong: int  # rounds
    rounds: int
    hint = ""

    @property
    def message(self) -> str:
        return f"{self.wrong} of {self.rounds} rounds hold impossible times"


@finding
class ClockStepped:
    """The clock of the machine was set during a round."""

    code = "clock-stepped"
    weight = Weight.INVALID
    step_s: float
    hint = "Something set the clock: measure again."

    @property
    def message(self) -> str:
        return f"The clock of the machine jumped by {self.step_s:+.2f} s during a round"


@finding
class ClockOverlap:
    """Rounds of one side overlap in time."""

    code = "clock-overlap"
    weight = Weight.WARNING
    message = "Rounds of one side overlap in time: the clock of the machine was set back"
    hint = ""
