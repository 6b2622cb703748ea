"""What is said of a red that was repeated by a second run."""

from perfci.model import Reason, Weight
from perfci.sentences.finding import finding
from perfci.sentences.reason import reason


def _where(machine: str) -> str:
    return f"another runner ({machine})" if machine else "another runner"


@reason
class Repeated:
    """A series was red, and a second run repeated it."""

    code = "repeated"
    of: Reason
    word: str  # "confirmed", "not confirmed" or "cannot tell"

    def __str__(self) -> str:
        return f"{self.of}; second run: {self.word}"


@reason
class NoSecondRun:
    """The second run is not there."""

    code = "no-second-run"

    def __str__(self) -> str:
        return "it left no run"


@finding
class SecondRun:
    """A second run of the change, on another runner, repeated what was red."""

    code = "second-run"
    confirmed: int  # red series that are red again
    refuted: int
    unknown: int  # red series of which the second run could not tell
    machine: str  # "" where it is not known

    @property
    def weight(self) -> Weight:
        return Weight.INCONCLUSIVE if self.refuted else Weight.NOTICE

    @property
    def message(self) -> str:
        parts = [
            f"{self.confirmed} confirmed",
            f"{self.refuted} not confirmed" if self.refuted else "",
            f"{self.unknown} not compared, which stay red" if self.unknown else "",
        ]
        said = ", ".join(filter(None, parts))
        return f"a second run on {_where(self.machine)} repeated the red series: {said}"

    @property
    def hint(self) -> str:
        return "run it once more, or on a quieter machine: one of two runs was red" if self.refuted else ""


@finding
class SecondRunUnclear:
    """The second run tells nothing."""

    code = "second-run"
    weight = Weight.NOTICE
    machine: str
    why: Reason
    hint = "the log of the job that repeats says more"

    @property
    def message(self) -> str:
        return f"a second run on {_where(self.machine)} cannot tell, and the red stands: {self.why}"


@finding
class OnlyRed:
    """This run repeats another one, and only what was red in that one is measured and counts."""

    code = "repeats-red"
    weight = Weight.NOTICE
    hint = ""
    run: str
    series: tuple[str, ...]  # worst first

    @property
    def message(self) -> str:
        return f"this run repeats what was red in run {self.run}, and nothing else counts: {', '.join(self.series)}"


@finding
class NothingToConfirm:
    """A run was to be repeated in which no series is red."""

    code = "nothing-to-repeat"
    weight = Weight.NOTICE
    hint = ""
    run: str

    @property
    def message(self) -> str:
        return f"no series is red in run {self.run}: all of it is measured again"
