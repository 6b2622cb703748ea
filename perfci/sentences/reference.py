"""Findings about a reference that is not comparable with the candidate."""

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
    hint = "What differs may be the data, not the code: merge the new seed first, or seed both commits alike."

    @property
    def message(self) -> str:
        digests = " and ".join(each[:SHOWN_OF_DIGEST] for each in (self.base_digest, self.candidate_digest))
        return f"The sides hold different data ({digests}), the same in every block"


@finding
class BaselineUnlike:
    """No stored run is comparable with this one, so that times are not compared."""

    code = "baseline-unlike"
    weight = Weight.WARNING
    obstacle: Reason
    hint = UNDER_THESE_CONDITIONS

    @property
    def message(self) -> str:
        return f"Times are not compared: {self.obstacle}"


@finding
class BaselineDiffers:
    """The stored runs differ in attributes that do not prevent a comparison."""

    code = "baseline-differs"
    weight = Weight.WARNING
    differences: tuple[Other, ...]
    hint = UNDER_THESE_CONDITIONS

    @property
    def message(self) -> str:
        return f"The stored runs were measured under other conditions: {'; '.join(map(str, self.differences))}"


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
    """The reference stores several names of which this run makes one endpoint."""

    code = "endpoints-stored-apart"
    weight = Weight.WARNING
    names: tuple[tuple[str, int], ...]  # endpoint, and how many stored names it stands for
    hint = "It was stored before names were folded, or before `[[endpoints]]` named them: accept a new run."

    @property
    def message(self) -> str:
        each = [f"{name} ({stored:,} stored names)" for name, stored in self.names]
        return f"Not compared, because the reference stores each name separately: {listed(each)}"
