"""`perfci baseline record`: accept a run."""

from pathlib import Path

from perfci import store
from perfci.config import read
from perfci.errors import ConfigError
from perfci.judge import validity
from perfci.model import Side, Weight
from perfci.pipeline.plan import inside


def record(run: Path, *, config_file: Path) -> Path:
    """Write the run in *run* into the baseline of its scenario and return the new file; a bad one is refused."""
    config = read(config_file)
    accepted = store.load(run)
    if any(measured.side is Side.BASE for measured in accepted.rounds):
        raise ConfigError(
            f"run {accepted.id} measured two sides by turns, which says nothing about later runs",
            hint="measure with --against baseline, then record that run",
        )
    invalid = [finding for finding in validity.findings(accepted, None) if finding.weight is not Weight.WARNING]
    if invalid:
        raise ConfigError(
            f"run {accepted.id} is not valid and cannot become a baseline: {invalid[0].message}", hint=invalid[0].hint
        )
    root = inside(config_file.parent.resolve(), config.baselines, what="baselines folder")
    return store.record(accepted, root)
