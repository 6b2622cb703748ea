"""
Compares many short blocks with few long ones, for the same minutes of turns.

    python -m bench.schedule --corpus DIR --start 2 --start 9

The effect of a block scatters for two reasons: the luck of a start, which only another start averages out, and the
turns, which more turns do. Both are read from how the scatter between recorded blocks shrinks with the share of their
turns that is used. From them follows the standard error after a budget of seconds, for every length of a block, when a
start of both sides costs so many. Turns in rotation and mirrored pairs are taken as they were recorded.
"""

import json
from dataclasses import asdict, dataclass
from itertools import product
from math import sqrt
from pathlib import Path

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.corpora import DuetCorpus, load

SHARES = (0.125, 0.25, 0.5, 1.0)
LENGTHS_S = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0)
WARM_UP_S = 1.0
FEWEST_BLOCKS = 4  # below, the quantile of t costs more than any block brings


@dataclass(frozen=True, slots=True, kw_only=True)
class Scatter:
    """The scatter of a block's log effect, for one service."""

    corpus: str
    start: float  # standard deviation between starts, however long the block
    second: float  # ... of one second of turns of both sides, shared by the endpoints
    measured: tuple[tuple[float, float], ...]  # seconds of turns -> standard deviation between blocks

    def error(self, *, total_s: float, start_s: float, block_s: float) -> float:
        """Standard error of the mean over the blocks that fit; infinite where there are too few."""
        blocks = int(total_s / (start_s + WARM_UP_S + block_s))
        if blocks < FEWEST_BLOCKS:
            return float("inf")
        return sqrt((self.start**2 + self.second**2 / block_s) / blocks)


def scatter(corpus: DuetCorpus) -> Scatter:
    """The two parts of the variance, by least squares on 1 / seconds, neither below zero."""
    seconds = [2 * corpus.seconds * share for share in SHARES]
    variances = [_variance(corpus, share) for share in SHARES]
    design = np.array([[1.0, 1 / length] for length in seconds])
    weights = 1 / np.array(variances)  # a variance is known to a share of itself
    fixed, per_second = np.linalg.lstsq(design * weights[:, None], np.array(variances) * weights, rcond=None)[0]
    return Scatter(
        corpus=corpus.name,
        start=sqrt(max(0.0, float(fixed))),
        second=sqrt(max(0.0, float(per_second))),
        measured=tuple((length, sqrt(variance)) for length, variance in zip(seconds, variances, strict=True)),
    )


def _variance(corpus: DuetCorpus, share: float) -> float:
    """Variance between the blocks, averaged over the endpoints; about their mean, since a bias is no scatter."""
    takes = corpus.takes(share).values()
    effects = [
        [
            np.log(candidate.endpoints[name].values["service_time"] / base.endpoints[name].values["service_time"])
            for name in corpus.endpoints
        ]
        for base, candidate in takes
    ]
    return float(np.var(effects, axis=0, ddof=1).mean())


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--start", "starts", type=float, multiple=True, default=(2.0, 9.0), help="Seconds to start both sides.")
@click.option("--total", type=float, default=90.0, show_default=True, help="Seconds in all.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path))
def command(corpus: Path, starts: tuple[float, ...], total: float, file: Path | None) -> None:
    """Print the standard error of an endpoint's effect after a time, for every length of a block."""
    known = [scatter(corpus_) for corpus_ in load(corpus) if isinstance(corpus_, DuetCorpus) and corpus_.identical]
    table = Table(title=f"standard error of an endpoint's effect after {total:g} s, in percent")
    for heading in ("corpus", "a start, SD", "a second, SD", "start costs", *(f"{length:g} s" for length in LENGTHS_S)):
        table.add_column(heading, justify="right")
    for scatter_, start_s in product(known, starts):
        errors = [scatter_.error(total_s=total, start_s=start_s, block_s=length) for length in LENGTHS_S]
        cells = [f"[bold]{100 * error:.2f}[/]" if error == min(errors) else _cell(error) for error in errors]
        table.add_row(
            scatter_.corpus, f"{100 * scatter_.start:.2f}", f"{100 * scatter_.second:.2f}", f"{start_s:g} s", *cells
        )
    Console(width=140).print(table)
    if file:
        file.write_text(json.dumps([asdict(scatter_) for scatter_ in known], indent=1) + "\n", encoding="utf-8")


def _cell(error: float) -> str:
    return f"{100 * error:.2f}" if error < float("inf") else "-"


if __name__ == "__main__":
    command()
