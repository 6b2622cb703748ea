"""
Recorded rounds, read from disk and reduced by perfci's own metrics.

Two formats. *Load*: a folder with `index.json` (a list in time order: file, variant, round, started_s) and one `.npz`
per round with `ENDPOINT.start_s` and `ENDPOINT.latency_ms`. Variants that begin with "a" are unchanged, "b05" is the
same service 5 % slower. *Duet*: a folder of `.npz` files, each with `startNN|ENDPOINT|base` and `...|cand` for every
block: response times in the order sent.
"""

import json
import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perfci.metrics import registry
from perfci.model import ALL_ENDPOINTS, EndpointRound, Quantity, Requests, Side

Floats = npt.NDArray[np.float64]

WARMUP_S = 3.0
"""Seconds at the start of a load round that are left out."""

_CHANGED = re.compile(r"-(plus|extra|slow)")
"""Part of a duet file's name that shows that its sides differ."""


@dataclass(frozen=True, eq=False)
class Column:
    """One endpoint's requests on one side of a round; compared by identity, so that results can be cached."""

    latency_ms: Floats  # in the order sent
    start_s: Floats

    @cached_property
    def sorted(self) -> Floats:
        """The latencies in increasing order."""
        return np.sort(self.latency_ms)

    @cached_property
    def seconds(self) -> Floats:
        """The mean latency of every second that saw a request: points as a monitoring system keeps them."""
        at = np.floor(self.start_s).astype(int)
        at -= at.min(initial=0)
        counts = np.bincount(at)
        means: Floats = np.bincount(at, weights=self.latency_ms)[counts > 0] / counts[counts > 0]
        return means


@dataclass(frozen=True, eq=False, slots=True)
class Take:
    """One side of one round as a trial uses it: perfci's metrics, and the requests for rules that need them."""

    endpoints: Mapping[str, EndpointRound]
    columns: Mapping[str, Column]


@cache
def slower(take: Take, endpoint: str | None, factor: float) -> Take:
    """
    The same round with every latency of *endpoint* (of all endpoints, without one) multiplied, exact for every clock.
    """
    names = [endpoint] if endpoint else list(take.columns)
    endpoints = {name: _scaled(seen, factor) if name in names else seen for name, seen in take.endpoints.items()}
    columns = {
        name: Column(column.latency_ms * factor, column.start_s) if name in names else column
        for name, column in take.columns.items()
    }
    return Take(endpoints, columns)


def _scaled(seen: EndpointRound, factor: float) -> EndpointRound:
    times = (name for name, metric in registry.METRICS.items() if metric.quantity is Quantity.TIME)
    clocks = {name: seen.values[name] * factor for name in times if name in seen.values}
    return replace(seen, values={**seen.values, **clocks})


@cache
def mixed(rest: Take, other: Take, endpoint: str) -> Take:
    """One endpoint of one round, the rest of another."""
    endpoints = {**rest.endpoints, endpoint: other.endpoints[endpoint]}
    if whole := rest.endpoints.get(ALL_ENDPOINTS):
        swapped = other.endpoints[endpoint].values["throughput"] - rest.endpoints[endpoint].values["throughput"]
        values = {**whole.values, "throughput": whole.values["throughput"] + swapped}
        endpoints[ALL_ENDPOINTS] = replace(whole, values=values)
    return Take(endpoints, {**rest.columns, endpoint: other.columns[endpoint]})


@dataclass(frozen=True, slots=True)
class LoadRound:
    """One recorded load round."""

    path: Path
    variant: str
    block: int
    started_s: float

    @property
    def change(self) -> float:
        """How much slower the service was made, as a fraction."""
        return 0.0 if self.variant.startswith("a") else float(self.variant[1:]) / 100


@dataclass(frozen=True, eq=False)
class LoadCorpus:
    """Rounds of one service, unchanged and slowed down, in order of time."""

    name: str
    rounds: tuple[LoadRound, ...]

    @property
    def blocks(self) -> list[int]:
        """The groups of rounds that were measured close to each other."""
        return sorted({round_.block for round_ in self.rounds})

    @property
    def changes(self) -> list[float]:
        """The injected changes, as fractions."""
        return sorted({round_.change for round_ in self.rounds} - {0.0})

    @property
    def unchanged(self) -> list[LoadRound]:
        """The unchanged rounds, in order of time."""
        return [round_ for round_ in self.rounds if not round_.change]

    @cached_property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints."""
        return tuple(sorted(take(self.rounds[0], 17.0).columns))

    def half(self, which: str) -> "LoadCorpus":
        """The first or second half of the blocks, or all."""
        kept = _half(self.blocks, which)
        return LoadCorpus(self.name, tuple(round_ for round_ in self.rounds if round_.block in kept))


def _half(blocks: list[int], which: str) -> list[int]:
    middle = len(blocks) // 2
    return {"all": blocks, "first": blocks[:middle], "second": blocks[middle:]}[which]


@cache
def take(round_: LoadRound, seconds: float) -> Take:
    """The first *seconds* of a recorded round after its warm-up."""
    window = (WARMUP_S, WARMUP_S + seconds)
    with np.load(round_.path) as stored:
        names = sorted(key.removesuffix(".latency_ms") for key in stored if key.endswith(".latency_ms"))
        whole = {name: (stored[f"{name}.start_s"], stored[f"{name}.latency_ms"]) for name in names}
    columns = {}
    for name, (start_s, latency_ms) in whole.items():
        inside = (start_s >= window[0]) & (start_s < window[1])
        columns[name] = Column(latency_ms[inside].astype(np.float64), start_s[inside].astype(np.float64))
    return Take(registry.measure(_requests(columns), windows=[window]), columns)


def _requests(columns: Mapping[str, Column]) -> Requests:
    counts = [len(column.latency_ms) for column in columns.values()]
    total = sum(counts)
    return Requests(
        names=tuple(columns),
        start_s=array("d", np.concatenate([column.start_s for column in columns.values()])),
        latency_ms=array("d", np.concatenate([column.latency_ms for column in columns.values()])),
        endpoint=array("I", np.repeat(np.arange(len(columns)), counts).tolist()),
        failed=array("B", bytes(total)),
        status=array("H", [200] * total),
        size=array("Q", [0] * total),
    )


@dataclass(frozen=True, eq=False, slots=True)
class DuetBlock:
    """The turns of one start of both sides: response times in the order sent."""

    number: int
    turns: Mapping[str, tuple[Floats, Floats]]  # endpoint -> base, candidate


@dataclass(frozen=True, eq=False)
class DuetCorpus:
    """Blocks of turns of one pair of services."""

    name: str
    duets: tuple[DuetBlock, ...]
    identical: bool

    @property
    def blocks(self) -> list[int]:
        """The numbers of the blocks."""
        return [block.number for block in self.duets]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of the endpoints."""
        return tuple(sorted(self.duets[0].turns))

    @property
    def seconds(self) -> float:
        """Seconds of turns in a block, on one side: half of the median sum of all response times."""
        return (
            float(
                np.median([sum(each.sum() for both in block.turns.values() for each in both) for block in self.duets])
            )
            / 2000
        )

    def half(self, which: str) -> "DuetCorpus":
        """The first or second half of the blocks, or all."""
        kept = _half(self.blocks, which)
        return DuetCorpus(self.name, tuple(block for block in self.duets if block.number in kept), self.identical)

    def takes(self, share: float) -> dict[int, tuple[Take, Take]]:
        """Block number -> base and candidate, from the first *share* of the block's quadruples of turns."""
        return {block.number: _sides(block, share) for block in self.duets}


@cache
def _sides(block: DuetBlock, share: float) -> tuple[Take, Take]:
    columns: tuple[dict[str, Column], dict[str, Column]] = ({}, {})
    for endpoint, both in block.turns.items():
        kept = 2 * max(1, int(share * (min(map(len, both)) // 2)))
        for side, turns in zip(columns, both, strict=True):
            side[endpoint] = Column(turns[:kept], np.arange(kept, dtype=np.float64) * 0.001)
    requests = dict(zip(Side, map(_requests, columns), strict=True))
    measured = registry.measure_duet(requests, windows=dict.fromkeys(Side, (0.0, 1e6)), alone=dict.fromkeys(Side, ()))
    base, candidate = (Take(measured[side], own) for side, own in zip(Side, columns, strict=True))
    return base, candidate


def load(folder: Path) -> list[LoadCorpus | DuetCorpus]:
    """Every corpus in *folder*, of either format."""
    if (folder / "index.json").is_file():
        listed = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        rounds = (
            LoadRound(folder / row["file"], row["variant"], int(row["round"]), float(row["started_s"]))
            for row in listed
        )
        return [LoadCorpus(folder.resolve().name, tuple(sorted(rounds, key=lambda round_: round_.started_s)))]
    return list(_duets(folder))


def _duets(folder: Path) -> Iterator[DuetCorpus]:
    for path in sorted(folder.glob("*.npz")):
        blocks: dict[int, dict[str, dict[str, Floats]]] = {}
        with np.load(path) as stored:
            for key in stored:
                start, endpoint, side = key.split("|")
                number = int(start.removeprefix("start"))
                blocks.setdefault(number, {}).setdefault(endpoint, {})[side] = stored[key].astype(np.float64)
        duets = tuple(
            DuetBlock(number, {name: (sides["base"], sides["cand"]) for name, sides in sorted(turns.items())})
            for number, turns in sorted(blocks.items())
        )
        yield DuetCorpus(path.stem, duets, identical=not _CHANGED.search(path.stem))
