"""Reduces the requests of a round to one value per metric and endpoint, and can group them again by other names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from perfci.metrics import registry
from perfci.metrics.answers import answers_of
from perfci.metrics.names import answered, folded
from perfci.metrics.user_classes import by_user_class
from perfci.model import Answers, EndpointRound, Phase, Round, Side
from perfci.pipeline.rig import Measured
from perfci.rig.load.recording import Recording, read_again, without_requests

Recordings = Mapping[Side, Recording]
Values = Mapping[Side, Mapping[str, EndpointRound]]
Measure = Callable[[Recordings], Values]


@dataclass(frozen=True, slots=True)
class Reduced:
    """The values of one side in one round, by endpoint."""

    endpoints: Mapping[str, EndpointRound]
    answers: Mapping[str, Answers]
    phases: Mapping[str, Phase]
    user_classes: Mapping[str, Mapping[str, EndpointRound]]


def of_turns(recordings: Recordings) -> Values:
    """The values of a duet."""
    return registry.measure_duet(
        {side: recording.requests for side, recording in recordings.items()},
        windows={side: (recording.start_s, recording.end_s) for side, recording in recordings.items()},
        alone={side: recording.unpaired for side, recording in recordings.items()},
    )


def of_load(recordings: Recordings) -> Values:
    """The values of a load round."""
    return {
        side: registry.measure(recording.requests, windows=recording.windows) for side, recording in recordings.items()
    }


def measured(
    recordings: Recordings, measure: Measure, keep: Callable[[Side, Recording, Reduced], Measured]
) -> dict[Side, Measured]:
    """
    Each side's round as *keep* makes it, by the endpoints of the requests.

    Where several names may share an endpoint, the round can be measured again from its logs, with other endpoints.
    """
    made: dict[Side, Measured] = {}
    small = {side: without_requests(recording) for side, recording in recordings.items()}
    values = _reduced(recordings, measure, {})
    for side, recording in recordings.items():
        kept = keep(side, recording, values[side])
        names = answered(recording.requests, windows=recording.windows)
        regroup = _regroup(small, measure, side, kept.round) if names else None
        made[side] = replace(kept, answered=names, endpoints=recording.requests.endpoints, regroup=regroup)
    return made


def _regroup(small: Recordings, measure: Measure, side: Side, first: Round) -> Callable[[Mapping[str, str]], Round]:
    def regroup(called: Mapping[str, str]) -> Round:
        again = _reduced({each: read_again(recording) for each, recording in small.items()}, measure, called)[side]
        return replace(
            first,
            endpoints=again.endpoints,
            answers=again.answers,
            phases=again.phases,
            user_classes=again.user_classes,
        )

    return regroup


def _reduced(recordings: Recordings, measure: Measure, called: Mapping[str, str]) -> dict[Side, Reduced]:
    grouped = {
        side: replace(recording, requests=folded(recording.requests, {**recording.requests.endpoints, **called}))
        for side, recording in recordings.items()
    }
    values = measure(grouped)
    return {
        side: Reduced(
            endpoints=values[side],
            answers=answers_of(recording.requests, windows=recording.windows),
            phases=_phases(recording),
            user_classes=by_user_class(recording.requests, windows=recording.windows),
        )
        for side, recording in grouped.items()
    }


def _phases(recording: Recording) -> dict[str, Phase]:
    return {
        name: Phase(
            seconds=sum(until - since for since, until in windows),
            endpoints=registry.measure(recording.requests, windows=windows),
        )
        for name, windows in recording.phases.items()
    }
