"""Whether two runs may be compared: clocks only where machine class, load and data were the same."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from perfci.model import Baseline, Run

NEWEST = 10
"""Only so many stored runs count: older ones describe another service."""

_WHAT_MUST_AGREE: Mapping[str, Callable[[Run], object]] = MappingProxyType(
    {
        "profile or scenario": lambda run: run.name,
        "machine class": lambda run: run.fingerprint.machine.machine_class,
        "load plan": lambda run: run.fingerprint.plan,
        "seed": lambda run: run.fingerprint.seed_digest,
    }
)


def differences(run: Run, stored: Run) -> tuple[str, ...]:
    """What keeps the clocks of the two runs from being compared; nothing where they may be."""
    return tuple(what for what, of in _WHAT_MUST_AGREE.items() if of(run) != of(stored))


def comparable(run: Run, baseline: Baseline) -> tuple[Run, ...]:
    """The newest runs of the baseline whose clocks may be compared with the run's."""
    return tuple(stored for stored in baseline.runs if not differences(run, stored))[-NEWEST:]


def same_scenario(run: Run, baseline: Baseline) -> tuple[Run, ...]:
    """The newest runs of the baseline that may be compared where the machine does not matter."""
    return tuple(stored for stored in baseline.runs if stored.name == run.name)[-NEWEST:]


def same_machine(run: Run, stored: tuple[Run, ...]) -> bool:
    """Whether all were measured on the very same machine, not only on its like."""
    return all(other.fingerprint.machine.id == run.fingerprint.machine.id for other in stored)


def obstacle(run: Run, baseline: Baseline) -> str:
    """Why no run of the baseline can be compared with the run, in one sentence; empty where some can."""
    if comparable(run, baseline) or not baseline.runs:
        return ""
    nearest = min((differences(run, stored) for stored in reversed(baseline.runs)), key=len)
    return f"every stored run has another {' and another '.join(nearest)}"
