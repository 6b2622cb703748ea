"""
The two kinds of replicates, blocks of a run and stored runs, behind one interface.

Against a ref, a block measured both sides, and the difference inside each block counts. Against a baseline, a run
measured one side, and one run is compared with many.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp
from typing import Protocol

import numpy as np

from perfci.judge.compare import block_means
from perfci.judge.compare.block_means import Line, average
from perfci.judge.stats.centre import Floats, median_of_others
from perfci.judge.stats.effect import Effect, standard_error
from perfci.judge.stats.looks import Fractions
from perfci.judge.stats.moderated import Spread, moderate
from perfci.judge.stats.prior import RUNS_WITHOUT_PRIOR, Prior, against_runs
from perfci.model import Metric, Replicate, Round

FEWEST_OTHERS = 3
"""
Smallest number of other endpoints whose median is taken as the common shift; with fewer, an endpoint is judged by its
level.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One series on both sides: the log of each replicate's value."""

    base: Line
    candidate: Line
    within_variance: float = 0.0  # variance of one replicate's difference that the scatter among its requests explains


class Replicates(Protocol):
    """What a comparison needs to know of its reference."""

    @property
    def base(self) -> Sequence[Round]:
        """All rounds of the reference."""

    @property
    def candidate(self) -> Sequence[Round]:
        """All rounds of the candidate."""

    @property
    def clusters(self) -> Sequence[Sequence[Round]]:
        """The reference's rounds, one group for each start of the system under test and job."""

    @property
    def looks(self) -> Fractions:
        """Fraction of the planned replicates at each look so far; empty for a single look."""

    def pair(self, metric: Metric, endpoint: str) -> Pair:
        """Both sides of a series."""

    def shortage(self, pair: Pair, metric: Metric) -> str:
        """Why there are too few replicates to compare; empty where there are enough."""

    def effects(self, pairs: Mapping[str, Pair]) -> dict[str, Effect]:
        """The effect of every series by endpoint; all are of one metric and may share their variances."""

    def shown(self, pair: Pair) -> tuple[Replicate, ...]:
        """The values that the comparison rests on."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Paired: the blocks of one run, each with both sides."""

    base: Sequence[Round]
    candidate: Sequence[Round]
    looks: Fractions = ()

    @property
    def clusters(self) -> Sequence[Sequence[Round]]:
        """One group: the rounds tell their blocks themselves."""
        return [self.base]

    def pair(self, metric: Metric, endpoint: str) -> Pair:
        """The blocks that measured both sides."""
        base, candidate = (block_means.line(side, metric, endpoint) for side in (self.base, self.candidate))
        common = sorted(base.keys() & candidate.keys())
        within = [block_means.within_variances(side, metric, endpoint) for side in (self.base, self.candidate)]
        return Pair(
            {block: base[block] for block in common},
            {block: candidate[block] for block in common},
            sum(side[block] for side in within for block in common) / len(common) if common else 0.0,
        )

    def shortage(self, pair: Pair, metric: Metric) -> str:
        """One block has no scatter, and so proves nothing."""
        return block_means.shortage(len(pair.base), least=2, of="block", metric=metric)

    def effects(self, pairs: Mapping[str, Pair]) -> dict[str, Effect]:
        """The mean over the blocks of the difference of the logs: a moderated t test of one sample."""
        logs = {name: [pair.candidate[block] - pair.base[block] for block in pair.base] for name, pair in pairs.items()}
        spreads = moderate(
            [replace(_spread(logs[name]), within_variance=pair.within_variance) for name, pair in pairs.items()]
        )
        return {
            name: Effect(average(values), standard_error(spread.variance, len(values)), spread.df)
            for (name, values), spread in zip(logs.items(), spreads, strict=True)
        }

    def shown(self, pair: Pair) -> tuple[Replicate, ...]:
        """Both sides of every block."""
        return tuple(
            Replicate(label=f"block {block}", base=exp(pair.base[block]), candidate=exp(pair.candidate[block]))
            for block in pair.base
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRuns:
    """Against a baseline: one run compared with the accepted ones."""

    label: str  # id of the candidate's run
    labels: Sequence[str]  # ids of the stored runs
    clusters: Sequence[Sequence[Round]]  # rounds of each stored run
    candidate: Sequence[Round]
    same_machine: bool

    @property
    def looks(self) -> Fractions:
        """A run is compared with stored ones once."""
        return ()

    @property
    def base(self) -> Sequence[Round]:
        """All stored rounds."""
        return [round_ for group in self.clusters for round_ in group]

    def pair(self, metric: Metric, endpoint: str) -> Pair:
        """The level of every stored run, by its position, and the candidate's blocks."""
        known = ((number, block_means.line(group, metric, endpoint)) for number, group in enumerate(self.clusters))
        stored = {number: average(line.values()) for number, line in known if line}
        return Pair(stored, block_means.line(self.candidate, metric, endpoint))

    def shortage(self, pair: Pair, metric: Metric) -> str:
        """One stored run is enough, because the scatter between runs has a prior."""
        fewest = min(len(pair.base), len(pair.candidate))
        return block_means.shortage(fewest, least=1, of="run" if not pair.base else "block", metric=metric)

    def effects(self, pairs: Mapping[str, Pair]) -> dict[str, Effect]:
        """
        The candidate's level against the mean of the stored ones; with enough endpoints, each without the shift
        that the others have in common.

        While the prior counts it is the only one to lend variance: a few runs show too little of it.
        """
        prior = Prior(same_machine=self.same_machine)
        adjusted = remove_common_shift(pairs)
        effects = self._effects(
            {name: each.pair for name, each in adjusted.items()}, replace(prior, without_common_shift=True)
        )
        return {
            **self._effects({name: pair for name, pair in pairs.items() if name not in adjusted}, prior),
            **{name: replace(effect, common_shift=adjusted[name].common_shift) for name, effect in effects.items()},
        }

    def _effects(self, judged: Mapping[str, Pair], prior: Prior) -> dict[str, Effect]:
        between = [_spread(pair.base.values()) for pair in judged.values()]
        if len(self.clusters) >= RUNS_WITHOUT_PRIOR:
            between = moderate(between)
        within = moderate([_spread(pair.candidate.values()) for pair in judged.values()])
        return {
            name: against_runs(
                candidate=average(pair.candidate.values()),
                stored=list(pair.base.values()),
                shown=shown,
                own_variance=own.variance / len(pair.candidate) if own.df else 0.0,
                prior=prior,
            )
            for (name, pair), shown, own in zip(judged.items(), between, within, strict=True)
        }

    def shown(self, pair: Pair) -> tuple[Replicate, ...]:
        """Every stored run, then the candidate."""
        stored = (
            Replicate(label=self.labels[number], base=exp(level), candidate=None) for number, level in pair.base.items()
        )
        return (*stored, Replicate(label=self.label, base=None, candidate=block_means.typical(pair.candidate)))


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One series without the shift common to the other endpoints."""

    pair: Pair
    common_shift: float  # log of the ratio by which the others changed


def remove_common_shift(pairs: Mapping[str, Pair]) -> dict[str, Adjusted]:
    """
    Every endpoint's series without the median of the others, per replicate; empty where there are too few endpoints.

    A machine that was slower for an hour was slower for all of them. The median leaves out the endpoints that the
    change under review touched, as long as they are the minority.
    """
    steady = _everywhere(pairs)
    if len(steady) <= FEWEST_OTHERS:
        return {}
    base, candidate = (_table(steady, side) for side in ("base", "candidate"))
    levels = base.mean(axis=1, keepdims=True)
    shared = dict(zip(steady, median_of_others(base - levels), strict=True))
    now = dict(zip(steady, median_of_others(candidate - levels), strict=True))
    return {
        name: Adjusted(
            Pair(_without(pair.base, shared[name]), _without(pair.candidate, now[name])),
            float(now[name].mean() - shared[name].mean()),
        )
        for name, pair in steady.items()
    }


def _table(pairs: Mapping[str, Pair], side: str) -> Floats:
    return np.array([list(getattr(pair, side).values()) for pair in pairs.values()])


def _without(line: Line, shared: Floats) -> Line:
    return {key: value - common for (key, value), common in zip(line.items(), shared.tolist(), strict=True)}


def _everywhere(pairs: Mapping[str, Pair]) -> dict[str, Pair]:
    """The endpoints that every replicate has."""
    base = {key for pair in pairs.values() for key in pair.base}
    candidate = {key for pair in pairs.values() for key in pair.candidate}
    return {
        name: pair
        for name, pair in pairs.items()
        if len(pair.base) == len(base) and len(pair.candidate) == len(candidate)
    }


def headline(pairs: Mapping[str, Pair]) -> Pair | None:
    """
    All endpoints with equal weight: the mean of the logs over those that every replicate has.

    Nothing for a single endpoint, which would only be counted twice.
    """
    common = list(_everywhere(pairs).values())
    if len(common) < 2:
        return None
    return Pair(
        {key: average(pair.base[key] for pair in common) for key in common[0].base},
        {key: average(pair.candidate[key] for pair in common) for key in common[0].candidate},
    )


def _spread(values: Iterable[float]) -> Spread:
    known = list(values)
    if len(known) < 2:
        return Spread(0.0, 0.0)
    centre = average(known)
    return Spread(sum((value - centre) ** 2 for value in known) / (len(known) - 1), len(known) - 1)
