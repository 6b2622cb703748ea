"""Compares the monitored gauges of both sides; they are shown and never change a verdict."""

from collections.abc import Sequence
from math import fsum

from perfci.judge import comparability
from perfci.judge.budgets import matches
from perfci.model import Alert, Baseline, GaugeChange, GaugeLevel, Round, RoundKind, Run, Side


def compared(run: Run, baseline: Baseline | None, alerts: Sequence[Alert] = ()) -> tuple[GaugeChange, ...]:
    """Every gauge that was watched under load, by name; the reference is the run's own base, or the stored runs."""
    candidate = _loaded([run], Side.CANDIDATE)
    base = _loaded([run], Side.BASE)
    if baseline is not None:
        base = _loaded(comparability.comparable(run, baseline), Side.CANDIDATE)
    units = {name: gauge.unit for round_ in (*base, *candidate) for name, gauge in round_.gauges.items()}
    return tuple(
        GaugeChange(
            name=name,
            unit=unit,
            base=_level(base, name),
            candidate=_level(candidate, name),
            limits=tuple(dict.fromkeys(alert.limit for alert in alerts if matches(alert.gauge, name))),
        )
        for name, unit in sorted(units.items())
    )


def _loaded(runs: Sequence[Run], side: Side) -> list[Round]:
    return [round_ for run in runs for round_ in run.rounds if round_.kind is RoundKind.LOAD and round_.side is side]


def _level(rounds: Sequence[Round], name: str) -> GaugeLevel | None:
    found = [round_.gauges[name] for round_ in rounds if name in round_.gauges]
    if not found:
        return None
    return GaugeLevel(
        mean=fsum(gauge.mean for gauge in found) / len(found),
        low=min(gauge.low for gauge in found),
        high=max(gauge.high for gauge in found),
    )
