"""Findings about tasks that began late, and users that act in step."""

from perfci.model import Weight
from perfci.sentences.finding import finding, percent


@finding
class Overslept:
    """Tasks began late although their users were free."""

    code = "schedule-overslept"
    share: float  # of the tasks of a round, at most
    unable: bool  # the load generator was starved, or had too much to do

    @property
    def weight(self) -> Weight:
        return Weight.INVALID if self.unable else Weight.WARNING

    @property
    def message(self) -> str:
        return f"The load generator began up to {100 * self.share:.0f} % of the tasks in a round too late by itself"

    @property
    def hint(self) -> str:
        if self.unable:
            return "It was starved of its core, or had too much to do."
        return "Their users were free. Was too much due at the same time?"


@finding
class MissedMore:
    """More due tasks never began on the candidate than on the reference."""

    code = "schedule-missed"
    base: float  # share of the tasks that were due
    candidate: float
    unable: bool  # the load generator was starved, or had too much to do

    @property
    def weight(self) -> Weight:
        return Weight.INVALID if self.unable else Weight.REGRESSION

    @property
    def message(self) -> str:
        dropped = f"{percent(self.candidate)} of the tasks that were due never began on the candidate"
        return f"{dropped}, {percent(self.base)} on the reference"

    @property
    def hint(self) -> str:
        if self.unable:
            return "The load generator itself was starved or had too much to do."
        return "Its users waited for answers: see the response times."


@finding
class Missed:
    """Due tasks never began, on both sides alike."""

    code = "schedule-missed"
    share: float  # of the tasks that were due
    arrivals: bool  # the scenario asks for a rate, else for a pace of each user

    @property
    def weight(self) -> Weight:
        return Weight.INVALID if self.arrivals else Weight.WARNING

    @property
    def message(self) -> str:
        return f"{percent(self.share)} of the tasks that were due never began: all users were busy"

    @property
    def hint(self) -> str:
        if self.arrivals:
            return "Allow more users, or ask for a lower rate."
        return "The pace is faster than the service, whose response times set it instead."


@finding
class Late:
    """Tasks began late because their users were busy."""

    code = "schedule-late"
    weight = Weight.WARNING
    share: float  # of the tasks of a round, at most
    hint = "Latencies do not show that; response times do."

    @property
    def message(self) -> str:
        return f"Up to {percent(self.share)} of the tasks in a round began late or never: their users were busy"


@finding
class InStep:
    """Users with the same pace act at the same time."""

    code = "users-in-step"
    weight = Weight.WARNING
    wait_s: float
    dispersion: float  # variance over mean of the starts in each second
    hint = "Let them wait between(...) or poisson(...) in the Locust file, or give the scenario `arrivals`."

    @property
    def message(self) -> str:
        return (
            f"Users with a pace of {self.wait_s:g} s act at the same time: "
            f"their starts come in bursts (variance {self.dispersion:.0f} times the mean, where 1 is independence)"
        )
