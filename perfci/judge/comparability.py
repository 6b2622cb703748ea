"""
Whether two runs may be compared: what has to be the same for their times, and what a reader has to know.

`ATTRIBUTES` is the whole of it, and docs/fingerprint.md shows it. Counts of work and shares of failures are not times:
they hold on every machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from operator import eq
from typing import Any

from perfci.judge import other_load
from perfci.model import Baseline, Run

NEWEST = 10
"""Only so many stored runs count: older ones describe another service."""


class Consequence(StrEnum):
    """What a difference between two runs does."""

    FORBIDS = "times are not compared"
    WARNS = "is warned of"
    SHOWN = "is kept in the run"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing in which two runs may differ."""

    name: str
    of: Callable[[Run], object]
    consequence: Consequence
    why: str
    same: Callable[[Any, Any], bool] = eq
    shown: Callable[[Any], str] | None = None  # of a value, where saying that it is another does not say enough

    def differs(self, run: Run, stored: Run) -> bool:
        """Whether the two runs differ in it."""
        return not self.same(self.of(run), self.of(stored))

    def describe(self, run: Run, stored: Run) -> str:
        """The difference, for a sentence that begins with "another"."""
        return self.name + (
            f" ({self.shown(self.of(stored))} then, {self.shown(self.of(run))} now)" if self.shown else ""
        )


def _minor(program: str) -> Callable[[Run], object]:
    """The version of a program without what only repairs it."""
    return lambda run: ".".join(run.fingerprint.versions.get(program, "").split(".")[:2])


def _machine(attribute: str) -> Callable[[Run], object]:
    """What is known of the machine; None where nothing is, which is like nothing but another such run."""
    return lambda run: getattr(run.fingerprint.machine, attribute, None)


FEWEST_FILES = 3
"""Files of another tool on the side of the reference, below which they are shown and not compared."""

ATTRIBUTES: Sequence[Attribute] = (
    Attribute("profile or scenario", lambda run: run.name, Consequence.FORBIDS, "Other requests."),
    Attribute(
        "load plan",
        lambda run: run.fingerprint.plan and replace(run.fingerprint.plan, digest=""),
        Consequence.FORBIDS,
        "Users, their rate and classes, tags, seconds, processes and variables: another queue in front of the service.",
    ),
    Attribute(
        "locustfile",
        lambda run: run.fingerprint.plan and run.fingerprint.plan.digest,
        Consequence.FORBIDS,
        "Its digest, with the modules of the project that it imports: other requests, or another mixture of them.",
    ),
    Attribute(
        "seed", lambda run: run.fingerprint.seed_digest, Consequence.FORBIDS, "Other data: other answers, other plans."
    ),
    Attribute(
        "kind of target",
        lambda run: run.fingerprint.target_kind,
        Consequence.FORBIDS,
        "A process is another service than a stack of containers.",
    ),
    Attribute(
        "CPU model",
        _machine("cpu_model"),
        Consequence.FORBIDS,
        "Between models lies up to a quarter.",
    ),
    Attribute(
        "number of cores",
        _machine("cores"),
        Consequence.FORBIDS,
        "Service and load generator share them.",
    ),
    Attribute(
        "CPU limit",
        _machine("cpu_limit"),
        Consequence.FORBIDS,
        "A quota stops whoever has used it up until its period is over.",
    ),
    Attribute(
        "load by others",
        other_load.other_load,
        Consequence.FORBIDS,
        "More than a quarter of the machine's processors taken by what is neither the service nor its load, or by a "
        "neighbour on the same host, in one run and not in the other: everything is slower then.",
        same=other_load.similar,
        shown=lambda share: f"{100 * share:.0f} % of the processors",
    ),
    Attribute(
        "memory limit",
        _machine("memory_limit_mb"),
        Consequence.WARNS,
        "It shows only where memory becomes scarce.",
    ),
    Attribute(
        "kind of host",
        _machine("kind"),
        Consequence.WARNS,
        "Other neighbours, another frequency.",
    ),
    Attribute(
        "operating system",
        _machine("system"),
        Consequence.WARNS,
        "Other libraries and defaults.",
    ),
    Attribute(
        "Locust version", _minor("locust"), Consequence.WARNS, "It may time, or pace, otherwise; repairs do not count."
    ),
    Attribute(
        "gevent version", _minor("gevent"), Consequence.WARNS, "It switches between the users; repairs do not count."
    ),
    Attribute("Python version", _minor("python"), Consequence.WARNS, "Of the load generator; repairs do not count."),
    Attribute("image of the runner", _machine("image"), Consequence.SHOWN, "It changes every week."),
    Attribute("kernel", _machine("kernel"), Consequence.SHOWN, "It changes with every update."),
    Attribute("memory", _machine("memory_mb"), Consequence.SHOWN, "Rarely what decides about times."),
    Attribute(
        "machine",
        _machine("id"),
        Consequence.SHOWN,
        "Runs of the very same machine scatter less, which the judge takes into account.",
    ),
    Attribute("perfci version", _minor("perfci"), Consequence.SHOWN, "What it records has a version of its own."),
    Attribute(
        "target", lambda run: dict(run.fingerprint.target), Consequence.SHOWN, "Its images are what is under test."
    ),
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


def remarks(run: Run, baseline: Baseline) -> tuple[str, ...]:
    """
    In what the run differs from stored runs that it is compared with all the same: "Locust version 3.0, not 2.46".

    What an older perfci did not note is not held against a run.
    """
    remarks = []
    for attribute in ATTRIBUTES:
        if attribute.consequence is Consequence.WARNS:
            own = str(attribute.of(run) or "")
            others = {str(attribute.of(stored) or "") for stored in comparable(run, baseline)} - {own, ""}
            if own and others:
                remarks.append(f"{attribute.name} {own}, not {' or '.join(sorted(others))}")
    return tuple(remarks)


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


def too_few_files(run: Run, baseline: Baseline) -> str:
    """
    Why files of other tools prove nothing, in one sentence; empty where there are enough, or perfci measured.

    What is known of the scatter between runs of perfci says nothing about those of another tool on unknown machines, so
    that it has to show in the files themselves.
    """
    if not run.origin.imported or len(baseline.runs) >= FEWEST_FILES:
        return ""
    return f"{len(baseline.runs)} of the {FEWEST_FILES} files of the reference that it takes to know the scatter"


def obstacle(run: Run, baseline: Baseline) -> str:
    """Why no run of the baseline can be compared with the run, in one sentence; empty where some can."""
    if comparable(run, baseline) or not baseline.runs:
        return ""
    nearest = min(reversed(baseline.runs), key=lambda stored: len(_forbidding(run, stored)))
    described = (attribute.describe(run, nearest) for attribute in _forbidding(run, nearest))
    return f"every stored run has another {' and another '.join(described)}"
