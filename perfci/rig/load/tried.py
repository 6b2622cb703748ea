"""What a handful of requests to each endpoint showed: read from the logs of a census."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfci.rig.load.log import LogReader


@dataclass(slots=True)
class Tried:
    """The requests to one endpoint, in the order of their ends."""

    latencies_ms: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)  # of the bodies, in bytes; successes alone
    statuses: Counter[int] = field(default_factory=Counter)
    failures: int = 0
    names: set[str] = field(default_factory=set)

    @property
    def requests(self) -> int:
        """How many there were, failures included."""
        return len(self.latencies_ms)


def read_tried(folder: Path) -> Mapping[str, Tried]:
    """By endpoint, from every request log in *folder*; LoadError where one is damaged."""
    found: dict[str, Tried] = {}
    for path in sorted(folder.glob("*.log")):
        reader = LogReader(path)
        reader.poll()
        _, latencies, names, failed, statuses, sizes, *_ = reader.columns
        for latency, name, failure, status, size in zip(latencies, names, failed, statuses, sizes, strict=True):
            tried = found.setdefault(reader.endpoints.get(reader.names[name], reader.names[name]), Tried())
            tried.latencies_ms.append(latency)
            tried.statuses[status] += 1
            tried.names.add(reader.names[name])
            tried.failures += failure
            if not failure:
                tried.sizes.append(size)
    return found
