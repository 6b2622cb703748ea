"""
Draws trials from recorded rounds.

A round never stands twice in a trial. Sides are paired with their neighbours in time, as a real job does, and their
order is flipped at random. Trials are drawn in groups, each from a random two thirds of the blocks: over all groups
that is the same distribution, and how much the groups differ tells what the few blocks leave open (`block_errors`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bench.cells import Cell
from bench.corpora import DuetCorpus, LoadCorpus, LoadRound, Take, mixed, slower, take
from perfci.model import RoundKind

GROUPS = 50
KEPT = 2 / 3
MOST_KEPT = 0.8  # beyond, too little is left out to see what the blocks do

NONE = "none"
ALL = "all"
ONE = "one"
MADE = "as made"  # a duet whose sides were recorded unlike
UNSCALED = (NONE, MADE)


@dataclass(frozen=True, slots=True)
class Trial:
    """One resampled job."""

    kind: RoundKind
    base: tuple[tuple[Take, ...], ...]  # paired: one group of rounds; against a baseline: one group for each stored run
    candidate: tuple[Take, ...]  # paired: the k-th belongs to the base's k-th
    history: bool = False  # the base are stored runs


class Answer(NamedTuple):
    """The verdict of a rule on a trial, and the number of blocks that it used."""

    verdict: str
    blocks: int


Rule = Callable[[Trial], str | Answer]
"""Trial -> its verdict as a word; also the number of blocks, where the rule may stop early."""


class TooFewError(Exception):
    """The blocks do not suffice for such a trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """The common properties of a cell's trials."""

    mode: str
    where: str  # NONE, ALL endpoints, ONE endpoint, or MADE
    change: float = 0.0
    replicates: int
    rounds: int = 1
    seconds: float  # of a load round; of a duet the share of its turns
    order: str = ""  # "": drawn at random; "in a row": as a job has them; "as recorded": a duet's sides are not swapped
    first_look: int = field(default=0, repr=False)  # blocks at the first look of many; 0: one look at all of them

    @property
    def effect(self) -> str:
        """The effect as tables show it."""
        named = self.where if self.where in UNSCALED else f"+{100 * self.change:g} % {self.where}"
        return f"{named}, {self.order}" if self.order else named


Draw = Callable[[np.random.Generator, Sequence[int]], Trial]
"""Draws a trial from the given blocks; TooFewError where they do not suffice."""


def run(
    spec: Spec, corpus: LoadCorpus | DuetCorpus, rules: Mapping[str, Rule], *, trials: int, rng_seed: int
) -> list[Cell]:
    """Every rule's verdicts on the same trials; empty where the corpus is too small."""
    rng = np.random.default_rng([rng_seed, *f"{corpus.name}|{spec}".encode()])
    draw = _draw(spec, corpus)
    try:
        kept = _kept(draw, corpus.blocks, rng)
    except TooFewError:
        return []
    groups: list[dict[str, Counter[str]]] = []
    looked: dict[str, Counter[int]] = {name: Counter() for name in rules}
    for group in range(GROUPS):
        count = (trials * (group + 1)) // GROUPS - (trials * group) // GROUPS
        blocks = sorted(rng.choice(corpus.blocks, kept, replace=False).tolist())
        said: dict[str, Counter[str]] = {name: Counter() for name in rules}
        for _ in range(count):
            trial = _patiently(draw, rng, blocks, corpus.blocks)
            for name, rule in rules.items():
                answer = rule(trial)
                verdict, count_of_blocks = answer if isinstance(answer, Answer) else (answer, spec.replicates)
                said[name][verdict] += 1
                looked[name][count_of_blocks] += 1
        groups.append(said)
    cells = {name: _cell(spec, corpus, name, [said[name] for said in groups], kept) for name in rules}
    if not spec.first_look:
        return list(cells.values())
    return [replace(cell, blocks=dict(looked[name]), first_look=spec.first_look) for name, cell in cells.items()]


def _cell(spec: Spec, corpus: LoadCorpus | DuetCorpus, rule: str, groups: Sequence[Counter[str]], kept: int) -> Cell:
    total: Counter[str] = sum(groups, Counter())
    errors = {verdict: _error(verdict, groups, kept, len(corpus.blocks)) for verdict in total}
    return Cell(
        corpus=corpus.name,
        mode=spec.mode,
        rule=rule,
        effect=spec.effect,
        replicates=spec.replicates,
        rounds=spec.rounds,
        seconds=round(spec.seconds * (corpus.seconds if isinstance(corpus, DuetCorpus) else 1.0), 2),
        counts=dict(total),
        block_errors=errors if kept <= MOST_KEPT * len(corpus.blocks) else {},
    )


def _error(verdict: str, groups: Sequence[Counter[str]], kept: int, blocks: int) -> float:
    """
    Standard error of a share by the blocks: the delete-d jackknife (Shao & Wu, "A general theory for jackknife variance
    estimation", Annals of Statistics 17, 1989). What the groups differ by chance alone is taken off, and the chance of
    all trials together is added.
    """
    sizes = np.array([sum(group.values()) for group in groups if group])
    shares = np.array([group[verdict] for group in groups if group]) / sizes
    share = float(np.average(shares, weights=sizes))
    chance = share * (1 - share)
    between = max(0.0, float(np.var(shares, ddof=1)) - chance / float(sizes.mean())) if len(shares) > 1 else 0.0
    return float(np.sqrt(between * kept / max(1, blocks - kept) + chance / sizes.sum()))


def _kept(draw: Draw, blocks: Sequence[int], rng: np.random.Generator) -> int:
    """Number of blocks that a group keeps: two thirds, or as many as a trial needs."""
    for kept in range(max(1, round(KEPT * len(blocks))), len(blocks) + 1):
        failed = 0
        for _ in range(20):
            try:
                draw(rng, sorted(rng.choice(blocks, kept, replace=False).tolist()))
            except TooFewError:
                failed += 1
        if failed <= 2:
            return kept
    raise TooFewError


def _patiently(draw: Draw, rng: np.random.Generator, blocks: Sequence[int], every: Sequence[int]) -> Trial:
    for attempt in range(200):
        try:
            return draw(rng, blocks if attempt < 20 else every)
        except TooFewError:
            continue
    raise TooFewError


def _draw(spec: Spec, corpus: LoadCorpus | DuetCorpus) -> Draw:
    if isinstance(corpus, DuetCorpus):
        return _duet(spec, corpus)
    return _history(spec, corpus) if spec.mode == "baseline" else _paired(spec, corpus)


def _paired(spec: Spec, corpus: LoadCorpus) -> Draw:
    """Pairs of neighbours; the slower side is a recorded one where there are enough of them, else scaled."""
    recorded = (
        spec.where not in UNSCALED and spec.change in corpus.changes and spec.replicates <= KEPT * len(corpus.blocks)
    )

    def draw(rng: np.random.Generator, blocks: Sequence[int]) -> Trial:
        if recorded:
            chosen = rng.choice(blocks, _enough(spec.replicates, len(blocks)), replace=False)
            endpoint = str(rng.choice(corpus.endpoints)) if spec.where == ONE else None
            pairs = [_beside(rng, corpus, block, spec, endpoint) for block in chosen]
        else:
            pick = _in_a_row if spec.order else _apart
            edges = pick(rng, _edges(corpus, blocks), spec.replicates)
            endpoint = str(rng.choice(corpus.endpoints)) if spec.where == ONE else None
            pairs = [_flipped(rng, edge, spec, endpoint) for edge in edges]
        return Trial(RoundKind.LOAD, (tuple(base for base, _ in pairs),), tuple(candidate for _, candidate in pairs))

    return draw


def _enough(wanted: int, there: int) -> int:
    if wanted > there:
        raise TooFewError
    return wanted


Edge = tuple[LoadRound, LoadRound]


def _edges(corpus: LoadCorpus, blocks: Sequence[int]) -> list[Edge]:
    """All neighbours among the unchanged rounds of *blocks*."""
    kept, unchanged = set(blocks), corpus.unchanged
    return [(a, b) for a, b in pairwise(unchanged) if {a.block, b.block} <= kept]


def _apart(rng: np.random.Generator, edges: Sequence[Edge], count: int) -> list[Edge]:
    """Draw *count* random edges that share no round."""
    used: set[LoadRound] = set()
    chosen: list[Edge] = []
    for index in rng.permutation(len(edges)):
        edge = edges[index]
        if not used.intersection(edge):
            chosen.append(edge)
            used.update(edge)
        if len(chosen) == count:
            return chosen
    raise TooFewError


def _in_a_row(rng: np.random.Generator, edges: Sequence[Edge], count: int) -> list[Edge]:
    """Every second of 2 * *count* - 1 consecutive edges."""
    length = 2 * count - 1
    starts = len(edges) - _enough(length, len(edges)) + 1
    first = int(rng.integers(starts))
    chosen = list(edges[first : first + length])
    if any(left[1] is not right[0] for left, right in pairwise(chosen)):
        raise TooFewError
    return chosen[::2]


def _flipped(rng: np.random.Generator, edge: Edge, spec: Spec, endpoint: str | None) -> tuple[Take, Take]:
    first, second = (edge, edge[::-1])[int(rng.integers(2))]
    base, candidate = take(first, spec.seconds), take(second, spec.seconds)
    return (base, candidate) if spec.where in UNSCALED else (base, slower(candidate, endpoint, 1 + spec.change))


def _beside(
    rng: np.random.Generator, corpus: LoadCorpus, block: int, spec: Spec, endpoint: str | None
) -> tuple[Take, Take]:
    """
    A slowed round and its nearest unchanged neighbour of the same block.

    For one slower endpoint the rest comes from the second nearest, which of the two is which by chance.
    """
    here = [round_ for round_ in corpus.rounds if round_.block == block]
    target = next(round_ for round_ in here if round_.change == spec.change)
    near = sorted(
        (round_ for round_ in here if not round_.change), key=lambda round_: abs(round_.started_s - target.started_s)
    )
    slowed = take(target, spec.seconds)
    if endpoint is None:
        gap = abs(near[0].started_s - target.started_s)
        beside = [round_ for round_ in near if abs(round_.started_s - target.started_s) < 1.5 * gap]
        return take(beside[int(rng.integers(len(beside)))], spec.seconds), slowed
    base, rest = rng.permutation(2)
    return take(near[base], spec.seconds), mixed(take(near[rest], spec.seconds), slowed, endpoint)


def _history(spec: Spec, corpus: LoadCorpus) -> Draw:
    """
    Stored runs and one more, of consecutive rounds without overlap; a slower one is scaled.

    The recorded slow rounds stand 100 s apart, so a run of them would average over more time than a job has.
    """

    def draw(rng: np.random.Generator, blocks: Sequence[int]) -> Trial:
        kept = set(blocks)
        line = [round_ for round_ in corpus.unchanged if round_.block in kept]
        runs = spec.replicates + 1
        free = len(line) - runs * (spec.rounds - 1)
        places = np.sort(rng.choice(max(free, 0), _enough(runs, free), replace=False))
        starts = places + np.arange(runs) * (spec.rounds - 1)
        windows = [tuple(take(round_, spec.seconds) for round_ in line[at : at + spec.rounds]) for at in starts]
        candidate = windows.pop(int(rng.integers(runs)))
        if spec.where not in UNSCALED:
            endpoint = str(rng.choice(corpus.endpoints)) if spec.where == ONE else None
            candidate = tuple(slower(take, endpoint, 1 + spec.change) for take in candidate)
        return Trial(RoundKind.LOAD, tuple(windows), candidate, history=True)

    return draw


def _duet(spec: Spec, corpus: DuetCorpus) -> Draw:
    """
    Blocks of turns. Sides are swapped block by block at random, which hides a constant bias; "as recorded" all of a
    trial's blocks are swapped or none, so that a bias counts, whichever way it goes.
    """
    takes = corpus.takes(spec.seconds)

    def draw(rng: np.random.Generator, blocks: Sequence[int]) -> Trial:
        chosen = rng.choice(blocks, _enough(spec.replicates, len(blocks)), replace=False)
        swaps = rng.integers(2, size=len(chosen)) if not spec.order else np.repeat(rng.integers(2), len(chosen))
        endpoint = str(rng.choice(corpus.endpoints)) if spec.where == ONE else None
        base, candidate = [], []
        for block, swap in zip(chosen, swaps, strict=True):
            first, second = takes[block][::-1] if swap and corpus.identical else takes[block]
            base.append(first)
            candidate.append(second if spec.where in UNSCALED else slower(second, endpoint, 1 + spec.change))
        return Trial(RoundKind.DUET, (tuple(base),), tuple(candidate))

    return draw
