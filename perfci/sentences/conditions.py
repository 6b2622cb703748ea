"""What is said of two runs that were measured under other conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from perfci.sentences.finding import percent
from perfci.sentences.reason import reason


class AttributeName(StrEnum):
    """What two runs may differ in; the names are part of the digests in stored histories, and so stay as they are."""

    SCENARIO = "profile or scenario"
    PLAN = "load plan"
    LOCUSTFILE = "locustfile"
    SEED = "seed"
    TARGET_KIND = "kind of target"
    CPU_MODEL = "CPU model"
    CORES = "number of cores"
    CPU_LIMIT = "CPU limit"
    OTHER_LOAD = "load by others"
    MEMORY_LIMIT = "memory limit"
    HOST_KIND = "kind of host"
    SYSTEM = "operating system"
    LOCUST = "Locust version"
    GEVENT = "gevent version"
    PYTHON = "Python version"
    IMAGE = "image of the runner"
    KERNEL = "kernel"
    MEMORY = "memory"
    MACHINE = "machine"
    PERFCI = "perfci version"
    TARGET = "target"


class CountedWith(StrEnum):
    """What has to be the same for the work of two runs to be compared."""

    SCENARIO = "profile or scenario"
    LOCUSTFILE = "locustfile"
    USERS = "user classes or tags"
    ENVIRONMENT = "environment of the locustfile"
    SEED = "seed"


WHY: Mapping[AttributeName, str] = {
    AttributeName.SCENARIO: "Other requests.",
    AttributeName.PLAN: (
        "Users, their rate and classes, tags, seconds, processes and variables: another queue in front of the service."
    ),
    AttributeName.LOCUSTFILE: (
        "Its digest, with the modules of the project that it imports: other requests, or another mixture of them."
    ),
    AttributeName.SEED: "Other data: other answers, other plans.",
    AttributeName.TARGET_KIND: "A process is another service than a stack of containers.",
    AttributeName.CPU_MODEL: "Between models lies up to a quarter.",
    AttributeName.CORES: "Service and load generator share them.",
    AttributeName.CPU_LIMIT: "A quota stops whoever has used it up until its period is over.",
    AttributeName.OTHER_LOAD: (
        "More than a quarter of the machine's processors taken by what is neither the service nor its load, or by a "
        "neighbour on the same host, in one run and not in the other: everything is slower then."
    ),
    AttributeName.MEMORY_LIMIT: "It shows only where memory becomes scarce.",
    AttributeName.HOST_KIND: "Other neighbours, another frequency.",
    AttributeName.SYSTEM: "Other libraries and defaults.",
    AttributeName.LOCUST: "It may time, or pace, otherwise; repairs do not count.",
    AttributeName.GEVENT: "It switches between the users; repairs do not count.",
    AttributeName.PYTHON: "Of the load generator; repairs do not count.",
    AttributeName.IMAGE: "It changes every week.",
    AttributeName.KERNEL: "It changes with every update.",
    AttributeName.MEMORY: "Rarely what decides about times.",
    AttributeName.MACHINE: "Runs of the very same machine scatter less, which the judge takes into account.",
    AttributeName.PERFCI: "What it records has a version of its own.",
    AttributeName.TARGET: "Its images are what is under test.",
}
"""Attribute of a run -> why a difference in it matters, or does not."""

CONSEQUENCES: Mapping[str, str] = {
    "forbids": "times are not compared",
    "warns": "is warned of",
    "shown": "is kept in the run",
}
"""What a difference between two runs does -> the same in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Another:
    """An attribute that forbids to compare the times of two runs."""

    attribute: AttributeName
    shares: tuple[float, float] | None = None  # of the processors, then and now, where the attribute is one

    def __str__(self) -> str:
        """The difference; goes on with "another"."""
        if self.shares is None:
            return self.attribute
        then, now = (f"{percent(share)} of the processors" for share in self.shares)
        return f"{self.attribute} ({then} then, {now} now)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """An attribute in which a run differs from stored ones that it is compared with all the same."""

    attribute: AttributeName
    own: str
    stored: tuple[str, ...]

    def __str__(self) -> str:
        """The difference: "Locust version 3.0, not 2.46"."""
        return f"{self.attribute} {self.own}, not {' or '.join(self.stored)}"


@reason
class EveryRunDiffers:
    """No stored run may be compared with the run."""

    code = "every-run-differs"
    differences: tuple[Another, ...]  # from the run that is most like it

    def __str__(self) -> str:
        return f"every stored run has another {' and another '.join(map(str, self.differences))}"


@reason
class TooFewFiles:
    """So few files of another tool do not show how much its values scatter."""

    code = "too-few-files"
    files: int  # of the reference
    least: int

    def __str__(self) -> str:
        return f"{self.files} of the {self.least} files of the reference that it takes to know the scatter"


@reason
class PlanUnknown:
    """The load of the run is not known."""

    code = "plan-unknown"

    def __str__(self) -> str:
        return "the load plan of this run is not known"


@reason
class CountedOtherwise:
    """The work of the reference was counted under other conditions."""

    code = "counted-otherwise"
    attributes: tuple[CountedWith, ...]

    def __str__(self) -> str:
        return f"it was counted with another {' and another '.join(self.attributes)}"


@reason
class OtherData:
    """The work of the two sides was counted on different data."""

    code = "other-data"

    def __str__(self) -> str:
        return "the two sides were counted on different data"
