"""Why a system is not, or not yet, ready for production."""

from perfci.model import Band, Verdict
from perfci.sentences.finding import percent
from perfci.sentences.reason import reason


@reason
class NothingMeasured:
    """There is no scenario to judge by."""

    code = "nothing-measured"

    def __str__(self) -> str:
        return "nothing was measured"


@reason
class ScenarioInvalid:
    """The measurement of a scenario is invalid."""

    code = "scenario-invalid"
    scenario: str

    def __str__(self) -> str:
        return f"{self.scenario} is invalid"


@reason
class Graded:
    """A scenario has too low a grade, or none."""

    code = "graded"
    scenario: str
    grade: str  # empty: none

    def __str__(self) -> str:
        return f"{self.scenario} has grade {self.grade}" if self.grade else f"{self.scenario} has no grade"


@reason
class RequestsFailed:
    """Too many requests of a scenario failed."""

    code = "requests-failed"
    scenario: str
    share: float  # at least so many

    def __str__(self) -> str:
        return f"{percent(self.share)} or more of the requests of {self.scenario} failed"


@reason
class ServiceDied:
    """The service died under the load of a scenario."""

    code = "service-died"
    scenario: str

    def __str__(self) -> str:
        return f"the service died in {self.scenario}"


@reason
class BeyondLimit:
    """A value of a scenario is beyond its limit."""

    code = "beyond-limit"
    scenario: str
    metric: str

    def __str__(self) -> str:
        return f"{self.metric} of {self.scenario} is beyond its limit"


@reason
class LeakNotExcluded:
    """The load of a scenario was too short, or too restless, to show that nothing leaks."""

    code = "leak-not-excluded"
    scenario: str
    metric: str

    def __str__(self) -> str:
        return f"{self.scenario} does not show whether {self.metric} is within its limit"


@reason
class NoPass:
    """The verdict on a scenario is no pass."""

    code = "no-pass"
    scenario: str
    verdict: Verdict

    def __str__(self) -> str:
        return f"{self.scenario}: {self.verdict}"


@reason
class Uneven:
    """One scenario responds much more slowly than another."""

    code = "uneven"
    slow: str
    slow_band: Band
    fast: str
    fast_band: Band

    def __str__(self) -> str:
        return f"responses of {self.slow} are {self.slow_band}, those of {self.fast} {self.fast_band}"
