"""Shows what the time of a run went into."""

from collections.abc import Sequence

from perfci.model import Step, Timing

UNKNOWN = "what the time went into is not known: the run is from before that was noted"


def table(timings: Sequence[Timing]) -> str:
    """One line for each kind of step: seconds, share of the whole run, and how often; last, what lies between them."""
    if not timings:
        return UNKNOWN
    whole_s = max(timing.began_s + timing.seconds for timing in timings)
    rows = [(step.value, [timing.seconds for timing in timings if timing.step is step]) for step in Step]
    between_s = max(0.0, whole_s - sum(timing.seconds for timing in timings))
    lines = [_line(name, seconds, whole_s) for name, seconds in [*rows, ("between", [between_s])] if seconds]
    return "\n".join([f"Time        {whole_s:.1f} s in all", *lines])


def _line(name: str, seconds: Sequence[float], whole_s: float) -> str:
    share = 100 * sum(seconds) / whole_s if whole_s else 0.0
    often = f", {len(seconds)} times" if len(seconds) > 1 else ""
    return f"  {name:<9} {sum(seconds):6.1f} s  {share:3.0f} %{often}"
