"""
Measures how often the gate's verdict is wrong on recorded rounds: `python -m bench.gate_quality --corpus DIR`.

Every cell is at least a thousand trials resampled out of the corpus (`bench.resampling`), judged through perfci's
public door and, side by side, by the rules that people use today (`bench.rivals`).
"""

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench import corpora, machines, resampling, tables
from bench.cells import Cell
from bench.corpora import DuetCorpus, LoadCorpus
from bench.door import perfci, sequential
from bench.oracle import oracle
from bench.picture import draw
from bench.resampling import ALL, MADE, NONE, ONE, Rule, Spec
from bench.rivals import RIVALS

PAIRS = (1, 2, 3, 4, 6, 8, 12)
BLOCKS = (2, 4, 6, 8, 12)
STORED = (1, 3, 8)
ROUNDS = (1, 3, 5)
SECONDS = (5.0, 10.0, 17.0)
SHARES = (0.25, 0.5, 1.0)
TURNS_SLOWED = (0.03, 0.05, 0.10)
MODES = ("paired", "baseline", "duet")

NOTHING = """nothing to judge: name a folder of recorded rounds with --corpus DIR (make bench CORPUS=DIR).
Either of load rounds, with an index.json, or of turns, one .npz for each pair of services; bench/README.md has the
formats. Machines can be simulated without any: --machines."""


class Sizes(NamedTuple):
    """The values to vary, from the command line; empty means all."""

    pairs: Sequence[int] = PAIRS
    blocks: Sequence[int] = BLOCKS
    stored: Sequence[int] = STORED
    rounds: Sequence[int] = ROUNDS
    seconds: Sequence[float] = SECONDS
    shares: Sequence[float] = SHARES
    changes: Sequence[float] = ()
    looks: tuple[int, int] | None = None  # first and last block after which to look; None: no such trials


def specs(corpus: LoadCorpus | DuetCorpus, modes: Sequence[str], sizes: Sizes) -> list[Spec]:
    """Every cell that the corpus has enough rounds for."""
    if isinstance(corpus, DuetCorpus):
        duets = _duets(corpus, sizes) if "duet" in modes else []
        return [*duets, *_looked_at(duets, sizes)]
    changes = sizes.changes or corpus.changes
    wheres = [(NONE, 0.0), *((where, change) for where in (ALL, ONE) for change in changes)]
    made = []
    for seconds in sizes.seconds if "paired" in modes else ():
        for pairs in sizes.pairs:
            paired = partial(Spec, mode="paired", replicates=pairs, seconds=seconds)
            made += [paired(where=where, change=change) for where, change in wheres]
            made.append(paired(where=NONE, order="in a row"))
    for seconds in sizes.seconds if "baseline" in modes else ():
        for stored, rounds in ((stored, rounds) for stored in sizes.stored for rounds in sizes.rounds):
            history = partial(Spec, mode="baseline", replicates=stored, rounds=rounds, seconds=seconds)
            made += [history(where=where, change=change) for where, change in wheres]
    return [*made, *_looked_at(made, sizes)]


def _looked_at(fixed: Sequence[Spec], sizes: Sizes) -> list[Spec]:
    """The same trials of both sides, judged after each block."""
    if sizes.looks is None:
        return []
    first, most = sizes.looks
    paired = (replace(spec, replicates=most, first_look=first) for spec in fixed if spec.mode != "baseline")
    return list(dict.fromkeys(paired))


def _duets(corpus: DuetCorpus, sizes: Sizes) -> list[Spec]:
    changes = sizes.changes or TURNS_SLOWED
    wheres = [(MADE, 0.0)]
    if corpus.identical:
        wheres = [(NONE, 0.0), *((where, change) for where in (ONE, ALL) for change in changes)]
    made = []
    for share in sizes.shares:
        for blocks in sizes.blocks:
            duet = partial(Spec, mode="duet", replicates=blocks, seconds=share)
            made += [
                duet(where=where, change=change, order="as recorded" if corpus.identical else "")
                for where, change in wheres
            ]
            if corpus.identical:
                made.append(duet(where=NONE, order=""))
    return made


class Work(NamedTuple):
    """The cell that one process measures."""

    spec: Spec
    corpus: LoadCorpus | DuetCorpus
    rules: Mapping[str, Rule]
    trials: int
    rng_seed: int


_WORK: list[Work] = []


def _do(index: int) -> list[Cell]:
    work = _WORK[index]
    return resampling.run(work.spec, work.corpus, work.rules, trials=work.trials, rng_seed=work.rng_seed)


def measure(works: Sequence[Work], jobs: int) -> list[Cell]:
    """Return all cells in the requested order. Child processes inherit the work by fork."""
    _WORK[:] = works
    if jobs == 1:
        return [cell for index in range(len(works)) for cell in _do(index)]
    with ProcessPoolExecutor(jobs) as pool:
        return [cell for cells in pool.map(_do, range(len(works))) for cell in cells]


def rules_for(spec: Spec, corpus: LoadCorpus | DuetCorpus, only: Sequence[str]) -> dict[str, Rule]:
    """The rules that apply in a mode, perfci first."""
    if spec.first_look:  # nobody else looks before the end
        return {"perfci": partial(sequential, spec.first_look)} if not only or "perfci" in only else {}
    known: dict[str, Rule] = {"perfci": perfci, **RIVALS[spec.mode]}
    if spec.where != MADE:  # unlike sides do not show how identical ones scatter
        known["oracle"] = oracle(corpus, spec)
    return {name: rule for name, rule in known.items() if not only or name in only}


def _numbers(_: click.Context, parameter: click.Parameter, value: str | None) -> tuple[float, ...] | None:
    try:
        return None if value is None else tuple(float(part) for part in value.split(","))
    except ValueError as error:
        raise click.BadParameter(f"numbers separated by commas, not {value!r}", param=parameter) from error


def _span(_context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[int, int] | None:
    if value is None:
        return None
    first, dash, most = value.partition("-")
    if not (dash and first.isdigit() and most.isdigit() and 2 <= int(first) <= int(most)):
        raise click.BadParameter(f"the first look and the last, as in 3-12, not {value!r}", param=parameter)
    return int(first), int(most)


@click.command()
@click.option("--corpus", type=click.Path(exists=True, file_okay=False, path_type=Path), multiple=True)
@click.option("--half", type=click.Choice(["first", "second", "all"]), default="all", show_default=True)
@click.option("--mode", "modes", type=click.Choice(MODES), multiple=True, help="Of these only.")
@click.option("--match", default="", help="Only corpora whose name contains it.")
@click.option("--only", multiple=True, help="Only these rules: perfci, or a rival.")
@click.option("--trials", default=1000, show_default=True)
@click.option("--rng-seed", default=1, show_default=True)
@click.option("--pairs", callback=_numbers, help="Paired mode: how many pairs, 4,8,12.")
@click.option("--blocks", callback=_numbers, help="Duet: how many blocks.")
@click.option("--stored", callback=_numbers, help="Baseline mode: how many stored runs.")
@click.option("--rounds", callback=_numbers, help="Baseline mode: rounds of a run.")
@click.option("--seconds", callback=_numbers, help="Of each load round, after its warm-up.")
@click.option("--shares", callback=_numbers, help="Of a duet's turns in each block.")
@click.option("--changes", callback=_numbers, help="Injected, as fractions: 0.03,0.05.")
@click.option("--looks", callback=_span, help="The same trials looked at after each block, too: 3-12.")
@click.option("--machines", "simulated", is_flag=True, help="Simulated machines, too (bench.machines).")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="All cells.")
@click.option("--picture", type=click.Path(dir_okay=False, path_type=Path), help="PNG: errors against pairs.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True)
def main(
    *,
    corpus: Sequence[Path],
    half: str,
    modes: Sequence[str],
    match: str,
    only: Sequence[str],
    trials: int,
    rng_seed: int,
    simulated: bool,
    json_file: Path | None,
    picture: Path | None,
    jobs: int,
    looks: tuple[int, int] | None,
    **sizes: tuple[float, ...] | None,
) -> None:
    """Measure the gate on recorded rounds, next to the rules that other tools use."""
    if not corpus and not simulated:
        raise click.UsageError(NOTHING)
    whole = ("pairs", "blocks", "stored", "rounds")
    given: dict[str, Any] = {
        name: tuple(int(length) for length in value) if name in whole else value
        for name, value in sizes.items()
        if value
    }
    asked = Sizes(looks=looks)._replace(**given)
    chosen = [loaded.half(half) for folder in corpus for loaded in corpora.load(folder) if match in loaded.name]
    works = [
        Work(spec, corpus, rules, trials, rng_seed)
        for corpus in chosen
        for spec in specs(corpus, modes or MODES, asked)
        if (rules := rules_for(spec, corpus, only))
    ]
    cells = measure(works, jobs)
    tables.show(cells, chosen, half)
    if simulated:
        cells += (found := machines.simulate(trials, rng_seed))
        click.echo(machines.table(found))
    if picture:
        draw(cells, picture)
    if json_file:
        json_file.write_text(json.dumps([cell.document() for cell in cells], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
