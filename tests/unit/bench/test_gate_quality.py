"""The command as a whole, on corpora whose truth is known."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import corpora, distil, door, picture
from bench.cells import Cell
from bench.corpora import LoadCorpus, slower, take
from bench.gate_quality import main
from bench.resampling import Trial
from perfci.judge.policy import DEFAULT
from perfci.model import RoundKind

TINY = ("--trials", "6", "--jobs", "1", "--seconds", "17")


def measured(tmp_path: Path, *arguments: str) -> tuple[str, list[dict[str, Any]]]:
    """What was printed, and the cells in JSON."""
    file = tmp_path / "cells.json"
    result = CliRunner().invoke(main, [*TINY, *arguments, "--json", str(file)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output, json.loads(file.read_text())


def share(cells: list[dict[str, Any]], rule: str, effect: str, verdict: str = "regression") -> float:
    """Of one cell."""
    (cell,) = (cell for cell in cells if (cell["rule"], cell["effect"]) == (rule, effect))
    return float(cell["verdicts"].get(verdict, {"share": 0.0})["share"])


def test_load_rounds_in_both_modes(load_folder: Path, tmp_path: Path) -> None:
    """Quiet rounds: identical ones pass, 20 % is found, a threshold of 200 % finds nothing."""
    sizes = ("--pairs", "4", "--stored", "3", "--rounds", "3", "--changes", "0.2")
    output, cells = measured(tmp_path, "--corpus", str(load_folder), *sizes)
    paired = [cell for cell in cells if cell["mode"] == "paired"]
    assert share(paired, "perfci", "none") == share(paired, "perfci", "none, in a row") == 0.0
    assert share(paired, "perfci", "+20 % all") == share(paired, "perfci", "+20 % one") == 1.0
    assert share(paired, "200 %", "+20 % all") == 0.0
    assert share(paired, "oracle", "+20 % one") == 1.0
    stored = [cell for cell in cells if cell["mode"] == "baseline"]
    assert {cell["effect"] for cell in stored} == {"none", "+20 % all", "+20 % one"}
    assert "called a regression by" in output
    assert "6 blocks" in output


def test_turns(duet_folder: Path, tmp_path: Path) -> None:
    """A recorded change is found; half of the blocks are half."""
    sizes = ("--blocks", "4", "--shares", "1", "--changes", "0.1", "--only", "perfci")
    _, cells = measured(tmp_path, "--corpus", str(duet_folder), *sizes)
    assert {cell["rule"] for cell in cells} == {"perfci"}
    made = [cell for cell in cells if cell["corpus"] == "toy-plus-10"]
    assert share(made, "perfci", "as made") == 1.0
    quiet = [cell for cell in cells if cell["corpus"] == "toy-quiet"]
    assert share(quiet, "perfci", "+10 % one, as recorded") == 1.0
    arguments = (
        "--half",
        "first",
        "--match",
        "quiet",
        "--blocks",
        "5,6",
        "--shares",
        "1",
        "--changes",
        "0.1",
        "--only",
        "perfci",
    )
    _, held = measured(tmp_path, "--corpus", str(duet_folder), *arguments)
    assert {cell["replicates"] for cell in held} == {5}


def test_the_same_trials_are_looked_at_after_each_block(duet_folder: Path, tmp_path: Path) -> None:
    """With fewer of them on the average than there are; the fixed schedule is drawn and judged as without."""
    sizes = ("--match", "quiet", "--blocks", "6", "--shares", "1", "--changes", "0.1", "--only", "perfci")
    output, cells = measured(tmp_path, "--corpus", str(duet_folder), *sizes, "--looks", "3-6")
    looked, fixed = ([cell for cell in cells if ("first_look" in cell) is either] for either in (True, False))
    assert {cell["effect"] for cell in looked} == {cell["effect"] for cell in fixed}
    assert share(looked, "perfci", "+10 % one, as recorded") == 1.0
    assert all(3 <= cell["mean_blocks"] <= cell["blocks_95"] + 1 <= 7 for cell in looked)
    assert "3-6" in output
    assert measured(tmp_path, "--corpus", str(duet_folder), *sizes)[1] == fixed


@pytest.mark.parametrize("span", ["3", "1-4", "5-4", "a-b"])
def test_looks_have_a_first_and_a_last_block(span: str) -> None:
    """Anything else is a mistake in usage."""
    result = CliRunner().invoke(main, ["--looks", span])
    assert result.exit_code == 2
    assert "3-12" in result.output


def test_without_a_corpus_it_says_what_it_needs() -> None:
    """Nothing measured is no success."""
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "--corpus DIR" in result.output


@pytest.mark.parametrize("factor", [1.0, 1.04, 1.3])
@pytest.mark.parametrize("history", [False, True])
def test_what_never_counts_is_left_out_without_changing_a_verdict(
    rounds: LoadCorpus, factor: float, history: bool
) -> None:
    """The policy that the trials are judged by is the default one, as far as verdicts go."""
    takes = [take(round_, 17.0) for round_ in rounds.unchanged]
    candidate = tuple(slower(take, "list", factor) for take in takes[1:8:2])
    base = tuple((take,) for take in takes[0:8:2]) if history else (tuple(takes[0:8:2]),)
    trial = Trial(RoundKind.LOAD, base, candidate, history=history)
    assert door.perfci(trial) == door.perfci(trial, DEFAULT)
    assert factor != 1.3 or history or door.perfci(trial) == "regression"


def test_a_distilled_corpus_is_a_corpus(load_folder: Path, duet_folder: Path, tmp_path: Path) -> None:
    """Smaller, in the same format."""
    runner = CliRunner()
    for source, name in ((load_folder, "load"), (duet_folder, "duet")):
        few = ["--blocks", "2", "--every", "4", "--quadruples", "5"]
        assert runner.invoke(distil.main, [str(source), str(tmp_path / name), *few]).exit_code == 0
    (rounds,) = corpora.load(tmp_path / "load")
    assert isinstance(rounds, LoadCorpus)
    assert rounds.blocks == [1, 2]
    whole = corpora.load(load_folder)[0]
    assert isinstance(whole, LoadCorpus)
    requests = [take(corpus.rounds[0], 5.0).endpoints["list"].requests for corpus in (rounds, whole)]
    assert requests[0] == pytest.approx(requests[1] / 4, abs=1)
    assert [len(corpus.blocks) for corpus in corpora.load(tmp_path / "duet")] == [2, 2]


def test_shares_have_intervals() -> None:
    """None in a thousand is bounded by 0.4 %; the cost of a baseline's verdict is its own run."""
    cell = Cell(
        corpus="toy", mode="paired", rule="perfci", effect="none", replicates=8, seconds=17.0, counts={"pass": 1000}
    )
    assert cell.share("regression") == 0.0
    assert cell.interval("regression") == pytest.approx((0.0, 0.0037), abs=1e-4)
    assert cell.block_interval("regression") is None
    assert cell.load_s == 272.0


def test_the_picture_shows_the_longest_rounds() -> None:
    """One row for each corpus and mode, of the effects that have a panel; nothing where there is none."""

    def cell(mode: str, effect: str, seconds: float, pairs: int) -> Cell:
        counts = {"pass": 10}
        return Cell(
            corpus="toy", mode=mode, rule="perfci", effect=effect, replicates=pairs, seconds=seconds, counts=counts
        )

    paired = [cell("paired", "none", seconds, pairs) for seconds in (5.0, 17.0) for pairs in (4, 8)]
    odd = [cell("paired", "+7 % all", 17.0, 4), cell("duet", "as made", 3.0, 8)]
    assert picture.rows([*paired, *odd]) == [paired[2:]]
    assert picture.rows(odd) == []
