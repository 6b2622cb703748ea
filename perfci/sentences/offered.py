"""Findings about a load that differs from the plan, or between the sides."""

from perfci.model import Weight
from perfci.sentences.finding import Shows, finding, listed


@finding
class UsersNotReached:
    """The planned number of users was never reached."""

    code = "users-not-reached"
    who: Shows
    first: str = ""  # exception of the load; empty where none was recorded

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did("did not reach the planned number of users")

    @property
    def hint(self) -> str:
        if not self.first:
            return "Lower the spawn rate, or use fewer users."
        first = self.first.rstrip(": ")
        return f"The first error: {first}. Does each user find what it starts with, such as an account of its own?"


@finding
class Stalled:
    """All users waited for seconds on end."""

    code = "stalled"
    who: Shows
    seconds: int
    hint = "See the log of the service: a lock, a pool or a timeout."

    @property
    def weight(self) -> Weight:
        return self.who.weight

    @property
    def message(self) -> str:
        return self.who.did(f"left its users waiting for {self.seconds} s without an answer")


@finding
class UsersHeldUp:
    """Users sent fewer requests, which the response times do not explain."""

    code = "users-held-up"
    share: float  # of the time between two requests of the reference, by which that of the candidate grew
    generator_late: bool

    @property
    def weight(self) -> Weight:
        return Weight.INVALID if self.generator_late else Weight.REGRESSION

    @property
    def message(self) -> str:
        rarer = f"{100 * self.share / (1 + self.share):.0f} % less often than their response times explain"
        return f"The candidate's users sent requests {rarer}"

    @property
    def hint(self) -> str:
        if self.generator_late:
            return "The load generator itself came late."
        return "Requests that never end are in no latency: look for timeouts and locks."


@finding
class EndpointsNew:
    """Some endpoints got requests on the candidate only."""

    code = "endpoints-new"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    hint = "They are not compared."

    @property
    def message(self) -> str:
        return f"Only the candidate got requests to {listed(self.endpoints)}"


@finding
class MixMoved:
    """The mix of requests differs between the sides."""

    code = "mix-moved"
    weight = Weight.WARNING
    moved: tuple[tuple[str, float, float], ...]  # endpoint, its share of the requests on both sides
    hint = "Endpoints are still compared one by one; the mean over all weighs them equally, whatever the mix."

    @property
    def message(self) -> str:
        each = [f"{name} ({100 * base:.0f} -> {100 * candidate:.0f} %)" for name, base, candidate in self.moved]
        return f"The mix of requests differs between the sides: {listed(each)}"
