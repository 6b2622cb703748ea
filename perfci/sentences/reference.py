"""What is said of a reference that is another one than the candidate's equal."""

from perfci.model import Reason, Weight
from perfci.sentences.conditions import Other
from perfci.sentences.finding import finding, listed

SHOWN_OF_DIGEST = 12
UNDER_THESE_CONDITIONS = "Measure and accept a run under these conditions."


@finding
class DataDiffers:
    """The sides hold different data, each the same in every block."""

    code = "data-differs"
    weight = Weight.INCONCLUSIVE
    base_digest: str
    candidate_digest: str
    hint = "What differs may be the data, not the code: merge the new seed first, or let both commits seed alike."

    @property
    def message(self) -> str:
        digests = " and ".join(each[:SHOWN_OF_DIGEST] for each in (self.base_digest, self.candidate_digest))
        return f"The sides hold different data ({digests}), the same in every block"


@finding
class BaselineUnlike:
    """No stored run is like this one, so that times are not compared."""

    code = "baseline-unlike"
    weight = Weight.WARNING
    obstacle: Reason
    hint = UNDER_THESE_CONDITIONS

    @property
    def message(self) -> str:
        return f"Times are not compared: {self.obstacle}"


@finding
class BaselineDiffers:
    """The stored runs differ in what does not keep them from being compared."""

    code = "baseline-differs"
    weight = Weight.WARNING
    differences: tuple[Other, ...]
    hint = UNDER_THESE_CONDITIONS

    @property
    def message(self) -> str:
        return f"The stored runs were measured with others: {'; '.join(map(str, self.differences))}"


@finding
class Imported:
    """Some of the runs come from other tools."""

    code = "imported"
    weight = Weight.WARNING
    tools: tuple[str, ...]
    hint = "Make sure that both sides had the same machine and load."

    @property
    def message(self) -> str:
        return f"Measured by {' and '.join(self.tools)}: whether the load generator kept up is not known"


@finding
class StoredApart:
    """The reference keeps each name by itself where this run has one endpoint for them."""

    code = "endpoints-stored-apart"
    weight = Weight.WARNING
    names: tuple[tuple[str, int], ...]  # endpoint, and how many stored names it stands for
    hint = "It was stored before names were folded, or before `[[endpoints]]` named them: accept a run of today."

    @property
    def message(self) -> str:
        each = [f"{name} ({stored:,} stored names)" for name, stored in self.names]
        return f"Not compared, because the reference keeps each name by itself: {listed(each)}"
