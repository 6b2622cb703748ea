"""Translates the endpoint names of stored runs and counts into those of the run that is compared with them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace

from perfci.model import Baseline, CommittedCensus, EndpointName, Finding, Run
from perfci.pipeline.endpoints import census_renamed, endpoints_of, renamed
from perfci.rig.load.inside import perfci_endpoints
from perfci.sentences.reference import StoredApart

Match = Callable[[Iterable[str]], Mapping[str, str]]
"""The names of this run for those endpoints of another that have a new one."""


def aligned(
    run: Run, baseline: Baseline | None, names: Sequence[EndpointName]
) -> tuple[Run, Baseline | None, tuple[Finding, ...]]:
    """
    *run* with the committed counts, and *baseline*, by the names of this run's endpoints, and what has no such name.

    An endpoint that was stored under one name of a template is that template. Where there were several, what was
    measured of each cannot be put together any more.
    """
    here = set(endpoints_of(run))
    own = [asdict(each) for each in names]
    lost: dict[str, set[str]] = defaultdict(set)

    def match(there: Iterable[str]) -> Mapping[str, str]:
        found, several = _matched(set(there), here, own)
        for name, others in several.items():
            lost[name] |= others
        return found

    committed = {side: _committed(each, match) for side, each in run.committed.items()}
    stored = None
    if baseline is not None:
        stored = replace(
            baseline,
            runs=tuple(renamed(each, match(endpoints_of(each))) for each in baseline.runs),
            census=None if baseline.census is None else _committed(baseline.census, match),
        )
    return replace(run, committed=committed), stored, tuple(_findings(lost))


def _matched(
    there: set[str], here: set[str], own: Sequence[Mapping[str, str]]
) -> tuple[dict[str, str], dict[str, set[str]]]:
    """What the endpoints of *there* are called *here*, and those of *here* that were several."""
    former: defaultdict[str, set[str]] = defaultdict(set)
    for name in there - here:
        former[perfci_endpoints.template(perfci_endpoints.renamed(name, own))].add(name)
    found: dict[str, str] = {}
    several: dict[str, set[str]] = {}
    for name in sorted(here - there):
        others = former.get(perfci_endpoints.template(name), set())
        if len(others) == 1:
            found.setdefault(next(iter(others)), name)
        elif others:
            several[name] = others
    return found, several


def _committed(committed: CommittedCensus, match: Match) -> CommittedCensus:
    return replace(committed, census=census_renamed(committed.census, match(committed.census.endpoints)))


def _findings(lost: Mapping[str, set[str]]) -> Iterator[Finding]:
    if not lost:
        return
    yield StoredApart(names=tuple((name, len(others)) for name, others in sorted(lost.items())))
