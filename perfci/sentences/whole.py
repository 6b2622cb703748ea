"""Findings about a run as a whole."""

from perfci.model import Weight
from perfci.sentences.finding import finding


@finding
class NoRounds:
    """Nothing was measured."""

    code = "no-rounds"
    weight = Weight.INVALID
    message = "No round of the candidate was measured"
    hint = "See the incidents of the run."


@finding
class Incident:
    """Something unexpected happened during a run that is complete."""

    code = "incident"
    weight = Weight.WARNING
    message: str
    hint = ""


@finding
class Incomplete:
    """The planned rounds were not all measured."""

    code = "run-incomplete"
    weight = Weight.INVALID
    message = "The run ended before all planned rounds were measured"
    incident: str  # the first; empty where none was noted

    @property
    def hint(self) -> str:
        return self.incident


@finding
class ResultCut:
    """The result was too large to be written whole."""

    code = "result-cut"
    weight = Weight.WARNING
    left_out: int  # series
    hint = ""

    @property
    def message(self) -> str:
        return f"{self.left_out} series and all values per block were left out: the result would be too large"
