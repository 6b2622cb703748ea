"""Findings about levels that drifted during the measurement."""

from perfci.model import Side, Weight
from perfci.sentences.finding import finding, percent


def _who(sides: tuple[Side, ...], measured: tuple[Side, ...]) -> str:
    if len(sides) == 2:
        return "Both sides"
    alone = "" if len(measured) == 1 else ", and not the other side,"
    return f"The {sides[0].value}{alone}"


@finding
class Faster:
    """Rounds became faster from their first half to their second."""

    code = "warmup-not-over"
    sides: tuple[Side, ...]
    measured: tuple[Side, ...]  # of which these are
    share: float  # by which they became faster, at most
    hint = "Make `warmup` longer."

    @property
    def weight(self) -> Weight:
        return Weight.INVALID if len(self.sides) == len(self.measured) else Weight.WARNING

    @property
    def message(self) -> str:
        return f"{_who(self.sides, self.measured)} became {percent(self.share)} faster within each round"


@finding
class Slower:
    """Rounds became slower from their first half to their second."""

    code = "slows-down"
    weight = Weight.WARNING
    sides: tuple[Side, ...]
    measured: tuple[Side, ...]
    share: float
    hint = "Something grows: data, a queue, memory. Longer rounds would differ more."

    @property
    def message(self) -> str:
        return f"{_who(self.sides, self.measured)} became {percent(self.share)} slower within each round"


@finding
class LevelMoved:
    """The later blocks were slower or faster than the earlier ones."""

    code = "level-moved"
    weight = Weight.WARNING
    sides: tuple[Side, ...]
    measured: tuple[Side, ...]
    share: float  # of the faster half's level
    slower: bool
    hint = "Sides are compared block by block, which cancels it; SLOs and baselines are affected."

    @property
    def message(self) -> str:
        how = f"{percent(self.share)} {'slower' if self.slower else 'faster'}"
        who = _who(self.sides, self.measured)
        return f"{who} became {how} from the first half of the blocks to the second"
