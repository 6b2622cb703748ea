"""Renders cells as tables, with the bounds that so few blocks allow."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.console import Console
from rich.table import Table

from bench.cells import Cell
from bench.corpora import DuetCorpus, LoadCorpus

WIDTH = 180
OURS = "perfci"
VERDICTS = ("regression", "pass", "inconclusive", "invalid")


def show(cells: Sequence[Cell], corpora: Sequence[LoadCorpus | DuetCorpus], half: str) -> None:
    """Print two tables for each corpus and mode: perfci in full, and all rules side by side."""
    console = Console(width=WIDTH)
    for (corpus, mode), group in groupby(cells, key=lambda cell: (cell.corpus, cell.mode)):
        known = sorted(group, key=_order)
        title = f"{corpus}, {mode}" + (f", {half} half" if half != "all" else "")
        if ours := [cell for cell in known if cell.rule == OURS]:
            console.print(_full(f"{title}: perfci", ours))
        if any(cell.rule != OURS for cell in known):
            console.print(_beside(f"{title}: called a regression by", known))
    for corpus_ in corpora:
        console.print(bound(corpus_), highlight=False)


def bound(corpus: LoadCorpus | DuetCorpus) -> str:
    """The error that the number of blocks leaves, whatever the number of trials."""
    blocks = len(corpus.blocks)
    most = 1 - 0.05 ** (1 / blocks)
    return (
        f"{corpus.name}: {blocks} blocks. What a block does with a chance below {100 * most:.0f} % may be missing from "
        f"all of them (95 %; the rule of three says 3/{blocks}), and only {blocks // 8} trials of eight blocks "
        "share nothing. The interval by trials is what the resampling left open, the one by blocks what other blocks "
        "of this machine would show (delete-d jackknife; blank where all are needed, or nothing happened). "
        "Neither speaks for another machine."
    )


def _order(cell: Cell) -> tuple[object, ...]:
    return (not cell.effect.startswith("none"), cell.effect, cell.seconds, cell.rounds, cell.replicates)


def _full(title: str, cells: Iterable[Cell]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("effect", no_wrap=True)
    for name in (
        "n",
        "s",
        "load s",
        "blocks",
        "95 %",
        "trials",
        "regression",
        "by trials",
        "by blocks",
        "pass",
        "cannot tell",
        "invalid",
    ):
        table.add_column(name, justify="right", no_wrap=True)
    for cell in cells:
        blocks = cell.block_interval("regression")
        table.add_row(
            *_place(cell),
            f"{cell.load_s:.0f}",
            f"{cell.mean_blocks:.1f}" if cell.first_look else "",
            str(cell.most_blocks(0.95)) if cell.first_look else "",
            str(cell.trials),
            percent(cell.share("regression")),
            _range(cell.interval("regression")),
            _range(blocks) if blocks else "",
            *(percent(cell.share(verdict)) for verdict in VERDICTS[1:]),
        )
    return table


def _beside(title: str, cells: Sequence[Cell]) -> Table:
    rules = list(dict.fromkeys(cell.rule for cell in cells))
    table = Table(title=title, title_justify="left")
    table.add_column("effect", no_wrap=True)
    for name in ("n", "s", *rules):
        table.add_column(name, justify="right")
    for place, group in groupby(cells, key=_place):
        shares = {cell.rule: percent(cell.share("regression")) for cell in group}
        table.add_row(*place, *(shares.get(rule, "") for rule in rules))
    return table


def _place(cell: Cell) -> tuple[str, str, str]:
    fewest = f"{cell.first_look}-" if cell.first_look else ""
    replicates = f"{cell.replicates} x {cell.rounds}" if cell.mode == "baseline" else f"{fewest}{cell.replicates}"
    return cell.effect, replicates, f"{cell.seconds:g}"


def percent(share: float) -> str:
    """A share in percent, with one digit after the point, as a thousand trials allow."""
    return f"{100 * share:.1f} %"


def _range(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}..{100 * interval[1]:.1f}"
