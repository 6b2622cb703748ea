"""Draws false alarms and detection against the number of replicates, for perfci and the rules of other tools."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.cells import Cell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "paired": ("none", "+5 % all", "+5 % one"),
        "baseline": ("none", "+10 % all", "+10 % one"),
        "duet": ("none, as recorded", "+3 % one, as recorded", "+5 % one, as recorded"),
    }
)
"""Mode -> the effects to show."""

AXES: Mapping[str, str] = MappingProxyType({"paired": "pairs", "baseline": "stored runs", "duet": "blocks"})
OURS, BEST = "perfci", "oracle"


def draw(cells: Sequence[Cell], file: Path) -> None:
    """Write a PNG with a row for each corpus and mode, for the longest rounds and runs."""
    from matplotlib.figure import Figure  # a second to import

    shown = rows(cells)
    if not shown:
        return
    colours = {rule: f"C{number}" for number, rule in enumerate(sorted({cell.rule for cell in cells} - {OURS, BEST}))}
    figure = Figure(figsize=(15, 4.2 * len(shown)), layout="tight")
    grid = figure.subplots(len(shown), 3, squeeze=False, sharey="col")
    for axes, row in zip(grid, shown, strict=True):
        for axis, effect in zip(axes, PANELS[row[0].mode], strict=True):
            _panel(axis, [cell for cell in row if cell.effect == effect], effect, colours)
        axes[-1].legend(*axes[0].get_legend_handles_labels(), loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=9)
    figure.savefig(file, dpi=110)


def rows(cells: Sequence[Cell]) -> list[list[Cell]]:
    """For each corpus and mode with data, the cells of the longest rounds and runs."""
    made = []
    for (_, mode), group in groupby(cells, key=lambda cell: (cell.corpus, cell.mode)):
        known = [cell for cell in group if cell.effect in PANELS[mode]]
        longest = max(((cell.seconds, cell.rounds) for cell in known), default=None)
        if longest:
            made.append([cell for cell in known if (cell.seconds, cell.rounds) == longest])
    return made


def _panel(axis: "Axes", cells: Sequence[Cell], effect: str, colours: Mapping[str, str]) -> None:
    for rule in dict.fromkeys(cell.rule for cell in cells):
        line = sorted((cell for cell in cells if cell.rule == rule), key=lambda cell: cell.replicates)
        shares = [100 * cell.share("regression") for cell in line]
        limits = [[100 * edge for edge in cell.interval("regression")] for cell in line]
        errors = [
            [share - low for share, (low, _) in zip(shares, limits, strict=True)],
            [high - share for share, (_, high) in zip(shares, limits, strict=True)],
        ]
        style = {OURS: ("black", "-", 2.8), BEST: ("black", ":", 1.6)}.get(rule, (colours.get(rule, ""), "-", 1.1))
        axis.errorbar(
            [cell.replicates for cell in line],
            shares,
            yerr=errors,
            label=rule,
            color=style[0],
            linestyle=style[1],
            linewidth=style[2],
            marker="o",
            markersize=3,
            capsize=2,
            zorder=3 if rule in {OURS, BEST} else 2,
        )
    false = effect.startswith("none")
    corpus = f"{cells[0].corpus}: " if cells else ""
    axis.set_title(f"{corpus}{'false alarms' if false else 'finds'} ({effect})", fontsize=10)
    axis.set_xlabel(f"{AXES[cells[0].mode]} of {_length(cells[0])}" if cells else "")
    axis.set_ylabel("called a regression, %")
    axis.set_ylim(-1 if false else -3, None if false else 103)
    axis.grid(alpha=0.3)


def _length(cell: Cell) -> str:
    return f"{cell.rounds} x {cell.seconds:g} s" if cell.mode == "baseline" else f"{cell.seconds:g} s a side"
