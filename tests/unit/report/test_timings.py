"""What the time of a run went into."""

from perfci.model import Step, Timing
from perfci.report.timings import UNKNOWN, table


def test_steps_are_added_up_and_the_rest_is_between() -> None:
    """Twelve seconds, of which two belong to no step."""
    timings = (
        Timing(step=Step.START, block="1", began_s=1.0, seconds=2.0),
        Timing(step=Step.TURNS, block="1", began_s=3.0, seconds=3.0),
        Timing(step=Step.TURNS, block="2", began_s=7.0, seconds=5.0),
    )
    assert table(timings).splitlines() == [
        "Time        12.0 s in all",
        "  start        2.0 s   17 %",
        "  turns        8.0 s   67 %, 2 times",
        "  between      2.0 s   17 %",
    ]


def test_a_run_from_before_says_so() -> None:
    """Instead of a table of zeros."""
    assert table(()) == UNKNOWN
