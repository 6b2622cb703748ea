"""
Estimates how much of the machine other processes used while a run was measured.

Whatever else runs there makes everything slower, and so does a neighbour on the same host, whose share a virtual
machine sees as stolen time. Sides that take turns both suffer from it; a run beside stored ones suffers alone.
"""

from perfci.model import Gauge, Round, RoundKind, Run, Side

MACHINE = "machine/cpu"
OWN = "/cpu"  # how the gauge of the load generator ends, and that of each part of the target
CORES = "cores"
TOLERANCE = 0.25
"""
Share of the processors used by others that is tolerated. A half-used machine slows a service several times; a daemon
does not.
"""


def other_load(run: Run) -> float | None:
    """Share of the processors used by others in the candidate's load rounds; None where it was not monitored."""
    loaded = [each for each in run.rounds if each.kind is RoundKind.LOAD and each.side is Side.CANDIDATE]
    known = [cores for each in loaded if (cores := _others(each)) is not None]
    machine = run.fingerprint.machine
    return sum(known) / len(known) / machine.cores if known and machine else None


def similar(share: float | None, other: float | None) -> bool:
    """Whether two shares of other load are similar; an unknown share is similar to any."""
    return share is None or other is None or abs(share - other) <= TOLERANCE


def _others(measured: Round) -> float | None:
    """Cores used by neither the target nor its load; None where the use of either is unknown."""
    cores = {name: gauge.mean for name, gauge in measured.gauges.items() if _is_cpu(name, gauge)}
    whole = cores.pop(MACHINE, None)
    return None if whole is None or len(cores) < 2 else max(0.0, whole - sum(cores.values()))


def _is_cpu(name: str, gauge: Gauge) -> bool:
    return name.endswith(OWN) and gauge.unit == CORES
