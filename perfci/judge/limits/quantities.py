"""
The quantities of a round that limits may name besides the compared metrics: one decorated function each.

Each reads one value of one round, for what its limit is about; None where the round cannot tell.
"""

import builtins
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from perfci import histogram
from perfci.judge.limits import breaking, spike
from perfci.judge.limits.reading import Reading, complement, exact, share
from perfci.judge.limits.trend import shift, trend
from perfci.model import Better, BusiestUser, EndpointRound, Gauge, Metric, Quantity, Round, Scale, Second, Slo
from perfci.sentences.analyses import BusiestMinute

PROBES_PER_SECOND = 5
AVAILABILITY, HIT_RATE, MEMORY, CONNECTIONS = "availability", "hit_rate", "memory", "connections"
"""Names of gauges, or the last part of their names."""

PROCESS = "process"
"""Prefix of the gauges of a target that perfci started as a process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedRound:
    """The context in which a limit is checked in one round."""

    round: Round
    seen: EndpointRound | None  # what it is about
    slos: Sequence[Slo]  # all limits of the policy: the breaking point is where they are left

    @property
    def seconds(self) -> Sequence[Second]:
        """The seconds of the round."""
        return self.round.seconds


Formula = Callable[[CheckedRound], Reading | None]

_FORMULAS: dict[str, Formula] = {}
_METRICS: dict[str, Metric] = {}
QUANTITIES: Mapping[str, Metric] = MappingProxyType(_METRICS)
"""Every quantity by its name, as the metric that a limit names."""


def quantity(kind: Quantity, unit: str = "", *, better: Better = Better.LOWER) -> Callable[[Formula], Formula]:
    """Register the decorated function under its name; its docstring is the quantity's meaning."""

    def enter(formula: Formula) -> Formula:
        name = formula.__name__
        _FORMULAS[name] = formula
        _METRICS[name] = Metric(
            name=name,
            quantity=kind,
            unit=unit,
            better=better,
            scale=Scale.DIFFERENCE if kind is Quantity.SHARE else Scale.RATIO,
            portable=False,
            exact=False,
            meaning=" ".join((formula.__doc__ or "").split()),
        )
        return formula

    return enter


def read(name: str, checked: CheckedRound) -> Reading | None:
    """The quantity *name* in one round."""
    return _FORMULAS[name](checked)


@quantity(Quantity.TIME, "ms")
def max(checked: CheckedRound) -> Reading | None:  # noqa: A001 - the name of the quantity
    """The slowest request that succeeded, within 1 %."""
    seen = checked.seen
    counts = histogram.counts_of(seen.histogram) if seen is not None and seen.histogram is not None else {}
    return exact(histogram.middle([*counts][-1])) if counts else None


@quantity(Quantity.SHARE, better=Better.HIGHER)
def success_rate(checked: CheckedRound) -> Reading | None:
    """Share of the requests that succeeded."""
    seen = checked.seen
    return complement(share(seen.failures, seen.requests)) if seen is not None and seen.requests else None


@quantity(Quantity.SHARE, better=Better.HIGHER)
def availability(checked: CheckedRound) -> Reading | None:
    """Share of the probes of `monitor.availability`, five a second, that were answered in time."""
    gauge = next(iter(gauges(checked.round, AVAILABILITY)), None)
    if gauge is None:
        return None
    known = [point for point in gauge.points if point is not None]
    probes = PROBES_PER_SECOND * gauge.step_s * len(known)
    return complement(share(round(probes * (1 - float(np.mean(known)) / 100)), probes))


@quantity(Quantity.SHARE, better=Better.HIGHER)
def cache_hit_rate(checked: CheckedRound) -> Reading | None:
    """Share of the lookups in the cache that found their key: the gauge `cache-hit-rate`, or that of a Redis."""
    rates = [gauge.mean / 100 if gauge.unit == "%" else gauge.mean for gauge in hit_rates(checked.round)]
    return exact(min(rates)) if rates else None


@quantity(Quantity.SHARE)
def cache_hit_loss(checked: CheckedRound) -> Reading | None:
    """Fall of the cache hit rate from the first third of the round to its last, without what it takes to settle."""
    found = [(shift(gauge.points), 100 if gauge.unit == "%" else 1) for gauge in hit_rates(checked.round)]
    readings = [
        Reading(-rate.growth / unit, -rate.high / unit, -rate.low / unit) for rate, unit in found if rate is not None
    ]
    return builtins.max(readings, key=lambda each: each.high, default=None)


@quantity(Quantity.RATE, "1/min")
def requests_per_user(checked: CheckedRound) -> Reading | None:
    """Requests of one user in a minute that were not refused (429), in the busiest minute of the busiest user."""
    if checked.round.busiest_user is not None:
        return _minute(checked.round.busiest_user)
    counts = np.array([second.requests - second.failures for second in checked.seconds], float)
    users = np.array([second.users for second in checked.seconds], float)
    window = min(60, len(counts))
    if not window or not users.any():
        return None
    there = np.where(users > 0, users, np.nan)
    sums = np.convolve(np.nan_to_num(counts / there), np.ones(window), mode="valid")
    return exact(float(sums.max()) * 60 / window)


@quantity(Quantity.COUNT, "users", better=Better.HIGHER)
def users(checked: CheckedRound) -> Reading | None:
    """Users that were there at once."""
    health = checked.round.generator
    return exact(float(health.users_reached)) if health is not None else None


@quantity(Quantity.COUNT, "s")
def recovery(checked: CheckedRound) -> Reading | None:
    """Seconds after a spike of users until latencies and failures are as before it, and stay so."""
    return spike.recovery(checked.seconds)


@quantity(Quantity.COUNT, "users", better=Better.HIGHER)
def breaking_point(checked: CheckedRound) -> Reading | None:
    """Users that are borne before latency (p95) or failures leave their limits, as their number grows."""
    found = breaking_of(checked.round, checked.slos)
    return None if found is None else breaking.reading(found)


@quantity(Quantity.SHARE)
def memory_growth(checked: CheckedRound) -> Reading | None:
    """Growth of the target's memory from the beginning of the round to its end, as a share of the beginning."""
    found = gauges(checked.round, MEMORY)
    return growth(found[0]) if len(found) == 1 else None  # of several containers, nobody noted which is measured


@quantity(Quantity.SHARE)
def connection_growth(checked: CheckedRound) -> Reading | None:
    """Growth of the connections to the database from the beginning of the round to its end."""
    return _fastest(gauges(checked.round, CONNECTIONS))


@quantity(Quantity.SHARE)
def latency_drift(checked: CheckedRound) -> Reading | None:
    """Growth of the median latency from the beginning of the round to its end, at a constant number of users."""
    return _relative([second.p50_ms for second in steady(checked.seconds)])


def _minute(busiest: BusiestUser) -> Reading:
    """
    In less than a minute the count is the least that it may be, and what it comes to in a minute the most.

    A user whose last request was refused gets no more through in that minute.
    """
    count = float(busiest.requests)
    evidence = BusiestMinute(
        users=busiest.users, requests=busiest.requests, seconds=busiest.seconds, refused=busiest.refused
    )
    whole = busiest.seconds >= 59 or busiest.refused
    most = count if whole else count * 60 / busiest.seconds
    return Reading(most, count, most, evidence)


def breaking_of(measured: Round, slos: Sequence[Slo]) -> breaking.Breaking | None:
    """The breaking point by the limits of the whole service on p95 and failures, the strictest of each."""
    whole = [slo for slo in slos if slo.whole and slo.fails]
    p95 = [slo.limit for slo in whole if slo.metric == "p95"]
    failing = [slo.limit for slo in whole if slo.metric == "failure_rate"]
    return breaking.breaking_point(measured.seconds, p95_ms=min(p95, default=None), failing=min(failing, default=None))


def growth(gauge: Gauge | None) -> Reading | None:
    """What a gauge grows by over a round, as a share of its beginning; what only settles does not."""
    return None if gauge is None else _relative(gauge.points)


def _relative(points: Sequence[float | None]) -> Reading | None:
    found = trend(points)
    if found is None or found.level <= 0:
        return None
    if found.low > 0 and found.later < found.growth / 10:  # it rises, and no more in the second half: it has settled
        return Reading(found.later / found.level, 0.0, found.high / found.level)
    return Reading(found.growth / found.level, found.low / found.level, found.high / found.level)


def steady(seconds: Sequence[Second]) -> Sequence[Second]:
    """The longest stretch of seconds with one number of users."""
    best, began = (0, 0), 0
    for at in range(1, len(seconds) + 1):
        if at == len(seconds) or seconds[at].users != seconds[began].users:
            best = best if best[1] - best[0] >= at - began else (began, at)
            began = at
    return seconds[best[0] : best[1]]


def gauges(measured: Round, name: str) -> list[Gauge]:
    """
    The gauges called *name*: the project's own, else that of the service that is measured.

    Where the service has none itself, those of what it uses count, each by itself: of two databases, both.
    """
    service = measured.target.service if measured.target is not None else ""
    for own in (name, f"{PROCESS}/{name}", f"{service}/{name}"):
        if own in measured.gauges:
            return [measured.gauges[own]]
    ending = sorted(found for found in measured.gauges if found.endswith(f"/{name}"))
    return [measured.gauges[found] for found in ending if not found.startswith("generator/")]


def hit_rates(measured: Round) -> list[Gauge]:
    """The project's own gauge `cache-hit-rate`, else that of each Redis."""
    return gauges(measured, "cache-hit-rate") or gauges(measured, HIT_RATE)


def _fastest(found: Sequence[Gauge]) -> Reading | None:
    """The growth of the fastest-growing gauge."""
    readings = [reading for gauge in found if (reading := growth(gauge)) is not None]
    return builtins.max(readings, key=lambda each: each.high, default=None)
