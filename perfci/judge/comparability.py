"""
Whether two runs may be compared: what has to be the same for their times, and what a reader has to know.

`ATTRIBUTES` is the whole of it, `perfci.sentences.conditions` says why, and docs/fingerprint.md shows both. Counts of
work and shares of failures are not times: they hold on every machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import eq
from typing import Any

from perfci.judge import other_load
from perfci.model import Baseline, Run
from perfci.sentences.conditions import Another, AttributeName, EveryRunDiffers, Other, TooFewFiles

NEWEST = 10
"""Only so many stored runs count: older ones describe another service."""


class Consequence(StrEnum):
    """What a difference between two runs does."""

    FORBIDS = "forbids"  # to compare times
    WARNS = "warns"
    SHOWN = "shown"  # in the stored run alone


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing in which two runs may differ."""

    name: AttributeName
    of: Callable[[Run], object]
    consequence: Consequence
    same: Callable[[Any, Any], bool] = eq
    is_share: bool = False  # whose size is part of what is said of a difference

    def differs(self, run: Run, stored: Run) -> bool:
        """Whether the two runs differ in it."""
        return not self.same(self.of(run), self.of(stored))

    def difference(self, run: Run, stored: Run) -> Another:
        """The difference between the two runs."""
        then, now = self.of(stored), self.of(run)
        shares = (then, now) if self.is_share and isinstance(then, float) and isinstance(now, float) else None
        return Another(attribute=self.name, shares=shares)


def _minor(program: str) -> Callable[[Run], object]:
    """The version of a program without what only repairs it."""
    return lambda run: ".".join(run.fingerprint.versions.get(program, "").split(".")[:2])


def _machine(attribute: str) -> Callable[[Run], object]:
    """What is known of the machine; None where nothing is, which is like nothing but another such run."""
    return lambda run: getattr(run.fingerprint.machine, attribute, None)


FEWEST_FILES = 3
"""Files of another tool on the side of the reference, below which they are shown and not compared."""

ATTRIBUTES: Sequence[Attribute] = (
    Attribute(AttributeName.SCENARIO, lambda run: run.name, Consequence.FORBIDS),
    Attribute(
        AttributeName.PLAN,
        lambda run: run.fingerprint.plan and replace(run.fingerprint.plan, digest=""),
        Consequence.FORBIDS,
    ),
    Attribute(
        AttributeName.LOCUSTFILE,
        lambda run: run.fingerprint.plan and run.fingerprint.plan.digest,
        Consequence.FORBIDS,
    ),
    Attribute(AttributeName.SEED, lambda run: run.fingerprint.seed_digest, Consequence.FORBIDS),
    Attribute(AttributeName.TARGET_KIND, lambda run: run.fingerprint.target_kind, Consequence.FORBIDS),
    Attribute(AttributeName.CPU_MODEL, _machine("cpu_model"), Consequence.FORBIDS),
    Attribute(AttributeName.CORES, _machine("cores"), Consequence.FORBIDS),
    Attribute(AttributeName.CPU_LIMIT, _machine("cpu_limit"), Consequence.FORBIDS),
    Attribute(
        AttributeName.OTHER_LOAD, other_load.other_load, Consequence.FORBIDS, same=other_load.similar, is_share=True
    ),
    Attribute(AttributeName.MEMORY_LIMIT, _machine("memory_limit_mb"), Consequence.WARNS),
    Attribute(AttributeName.HOST_KIND, _machine("kind"), Consequence.WARNS),
    Attribute(AttributeName.SYSTEM, _machine("system"), Consequence.WARNS),
    Attribute(AttributeName.LOCUST, _minor("locust"), Consequence.WARNS),
    Attribute(AttributeName.GEVENT, _minor("gevent"), Consequence.WARNS),
    Attribute(AttributeName.PYTHON, _minor("python"), Consequence.WARNS),
    Attribute(AttributeName.IMAGE, _machine("image"), Consequence.SHOWN),
    Attribute(AttributeName.KERNEL, _machine("kernel"), Consequence.SHOWN),
    Attribute(AttributeName.MEMORY, _machine("memory_mb"), Consequence.SHOWN),
    Attribute(AttributeName.MACHINE, _machine("id"), Consequence.SHOWN),
    Attribute(AttributeName.PERFCI, _minor("perfci"), Consequence.SHOWN),
    Attribute(AttributeName.TARGET, lambda run: dict(run.fingerprint.target), Consequence.SHOWN),
)
"""In the order in which differences are described."""


def differences(run: Run, stored: Run) -> tuple[str, ...]:
    """What keeps the clocks of the two runs from being compared; nothing where they may be."""
    return tuple(attribute.name for attribute in _forbidding(run, stored))


def _forbidding(run: Run, stored: Run) -> list[Attribute]:
    return [
        attribute
        for attribute in ATTRIBUTES
        if attribute.consequence is Consequence.FORBIDS and attribute.differs(run, stored)
    ]


def other_attributes(run: Run, baseline: Baseline) -> tuple[Other, ...]:
    """
    In what the run differs from stored runs that it is compared with all the same.

    What an older perfci did not note is not held against a run.
    """
    found = []
    for attribute in ATTRIBUTES:
        if attribute.consequence is Consequence.WARNS:
            own = str(attribute.of(run) or "")
            others = {str(attribute.of(stored) or "") for stored in comparable(run, baseline)} - {own, ""}
            if own and others:
                found.append(Other(attribute=attribute.name, own=own, stored=tuple(sorted(others))))
    return tuple(found)


def comparable(run: Run, baseline: Baseline) -> tuple[Run, ...]:
    """The newest runs of the baseline whose clocks may be compared with the run's."""
    return tuple(stored for stored in baseline.runs if not differences(run, stored))[-NEWEST:]


def same_scenario(run: Run, baseline: Baseline) -> tuple[Run, ...]:
    """The newest runs of the baseline that may be compared where the machine does not matter."""
    return tuple(stored for stored in baseline.runs if stored.name == run.name)[-NEWEST:]


def same_machine(run: Run, stored: tuple[Run, ...]) -> bool:
    """Whether all were measured on the very same machine, not only on its like."""
    here = run.fingerprint.machine
    return here is not None and all(
        other.fingerprint.machine is not None and other.fingerprint.machine.id == here.id for other in stored
    )


def too_few_files(run: Run, baseline: Baseline) -> TooFewFiles | None:
    """
    Why files of other tools prove nothing; None where there are enough, or perfci measured.

    What is known of the scatter between runs of perfci says nothing about those of another tool on unknown machines, so
    that it has to show in the files themselves.
    """
    if not run.origin.imported or len(baseline.runs) >= FEWEST_FILES:
        return None
    return TooFewFiles(files=len(baseline.runs), least=FEWEST_FILES)


def obstacle(run: Run, baseline: Baseline) -> EveryRunDiffers | None:
    """Why no run of the baseline can be compared with the run; None where some can, or there is none."""
    if comparable(run, baseline) or not baseline.runs:
        return None
    nearest = min(reversed(baseline.runs), key=lambda stored: len(_forbidding(run, stored)))
    return EveryRunDiffers(
        differences=tuple(attribute.difference(run, nearest) for attribute in _forbidding(run, nearest))
    )
