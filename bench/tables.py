"""Cells as tables for people, and what so few blocks can say."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from bench.cells import Cell
from bench.corpora import DuetCorpus, LoadCorpus

VERDICTS = ("regression", "pass", "inconclusive", "invalid")


def show(cells: Sequence[Cell], corpora: Sequence[LoadCorpus | DuetCorpus], half: str) -> None:
    """Print one table for each corpus and mode."""
    console = Console(width=150)
    for (corpus, mode), group in groupby(cells, key=lambda cell: (cell.corpus, cell.mode)):
        console.print(_table(f"{corpus}, {mode}" + (f", {half} half" if half != "all" else ""), group))
    for one in corpora:
        console.print(bound(one), highlight=False)


def bound(corpus: LoadCorpus | DuetCorpus) -> str:
    """What the number of blocks can bound, whatever the number of trials."""
    blocks = len(corpus.blocks)
    most = 1 - 0.05 ** (1 / blocks)
    return (
        f"{corpus.name}: {blocks} blocks. What happens in a block with a chance below {100 * most:.0f} % may be "
        f"missing from all of them (95 %; the rule of three says 3/{blocks}), and eight of them a trial are "
        f"{blocks // 8} trials that share nothing. The interval by trials says what the resampling left open, "
        "the one by blocks what other blocks of this machine would show; neither speaks for another machine."
    )


def _table(title: str, cells: Iterable[Cell]) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for name in ("effect", "n", "s", "load s", "rule", "trials"):
        table.add_column(name, justify="left" if name in {"effect", "rule"} else "right", no_wrap=True)
    for name in ("regression %", "by trials", "by blocks", *(f"{verdict} %" for verdict in VERDICTS[1:])):
        table.add_column(name, justify="right")
    for cell in sorted(cells, key=lambda cell: (cell.effect != "none", cell.effect, cell.seconds, cell.replicates)):
        table.add_row(*_row(cell))
    return table


def _row(cell: Cell) -> list[str]:
    replicates = f"{cell.replicates} x {cell.rounds}" if cell.mode == "baseline" else str(cell.replicates)
    blocks = cell.block_interval("regression")
    return [
        cell.effect,
        replicates,
        f"{cell.seconds:g}",
        f"{cell.load_s:.0f}",
        cell.rule,
        str(cell.trials),
        percent(cell.share("regression")),
        _range(cell.interval("regression")),
        _range(blocks) if blocks else "",
        *(percent(cell.share(verdict)) for verdict in VERDICTS[1:]),
    ]


def percent(share: float) -> str:
    """Of a share, with a digit where it matters."""
    return f"{100 * share:.1f}"


def _range(interval: tuple[float, float]) -> str:
    return f"{percent(interval[0])}..{percent(interval[1])}"
