"""Every report of every outcome, compared as a whole."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from perfci.model import Outcome
from perfci.report import FORMATS, render, terminal
from perfci.report.explain import explain, explain_json
from perfci.report.view import Links, View
from tests.builders import a_paired_run
from tests.golden.outcomes import OUTCOMES

SUFFIXES = {"text": "report.txt", "markdown": "md", "summary": "summary.md", "json": "json"} | {
    "html": "html",
    "csv": "csv",
    "junit": "junit.xml",
    "openmetrics": "metrics.txt",
}
LINKS: dict[str, Any] = {
    "run": "https://git.example.org/octo/shop/actions/runs/42",
    "artifact": "https://git.example.org/octo/shop/actions/runs/42/artifacts/7",
    "base_commit": "https://git.example.org/octo/shop/commit/ba5eba11",
}

Golden = Callable[[str, str], None]


def test_every_format_has_golden_files() -> None:
    """A new format cannot be forgotten here."""
    assert FORMATS.keys() == SUFFIXES.keys()


@pytest.mark.parametrize("fmt", [fmt for fmt in FORMATS if fmt != "csv"])
@pytest.mark.parametrize("case", OUTCOMES)
def test_format(golden: Golden, case: str, fmt: str) -> None:
    """Each format renders each outcome as the golden file has it; how the page looks is in `report.css`."""
    text = render(fmt, OUTCOMES[case](), **LINKS)
    golden(f"{case}.{SUFFIXES[fmt]}", re.sub("(?s)(<style>).*(</style>)", r"\1\2", text))


def test_table_of_a_run(golden: Golden) -> None:
    """The CSV has the run's rounds, and of the outcome their verdicts alone."""
    golden("paired.csv", FORMATS["csv"].render(View(outcome=OUTCOMES["regression"](), run=a_paired_run())))


@pytest.mark.parametrize("case", OUTCOMES)
def test_screen(golden: Golden, case: str) -> None:
    """A terminal of 80 columns gets what matters first."""
    golden(f"{case}.txt", terminal.render(OUTCOMES[case](), Links(**LINKS)))


@pytest.mark.parametrize(
    ("name", "render_it"),
    [
        ("regression.wide.txt", lambda outcome: terminal.render(outcome, width=120)),
        ("regression.narrow.txt", lambda outcome: terminal.render(outcome, width=60)),
        ("regression.colour.txt", lambda outcome: terminal.render(outcome, colour=True)),
        ("regression.verbose.txt", lambda outcome: terminal.render(outcome, verbose=True)),
        ("regression.untrusted.md", lambda outcome: render("markdown", outcome, untrusted=True)),
        ("regression.explained.txt", lambda outcome: explain(outcome, "GET /tickets/ service_time")),
        ("regression.explained_count.txt", lambda outcome: explain(outcome, "GET /tickets/ db/statements")),
        ("regression.explained_share.txt", lambda outcome: explain(outcome, "failure_rate")),
    ],
)
def test_variant(golden: Golden, name: str, render_it: Callable[[Outcome], str]) -> None:
    """Other widths, colour, all rows, a stranger's result, and one series explained."""
    golden(name, render_it(OUTCOMES["regression"]()))


def test_gauges_beside_each_other(golden: Golden) -> None:
    """In the longer report there is a table of what was watched."""
    golden("slo_breach.verbose.txt", terminal.render(OUTCOMES["slo_breach"](), width=120, verbose=True))


def test_inconclusive_explained(golden: Golden) -> None:
    """What is not settled says how many blocks would settle it."""
    golden("inconclusive.explained.txt", explain(OUTCOMES["inconclusive"](), "GET /tickets/ service_time"))


@pytest.mark.parametrize(
    ("name", "render_it"),
    [
        ("work.wide.txt", lambda outcome: terminal.render(outcome, width=120)),
        ("work.verbose.txt", lambda outcome: terminal.render(outcome, width=120, verbose=True)),
        ("work.explained.txt", lambda outcome: explain(outcome, "GET /reports db/blocks", width=80)),
        ("work.explained_test.txt", lambda outcome: explain(outcome, "GET /search db/rows")),
        ("work.explained.json", lambda outcome: explain_json(outcome, "GET /tickets/ db/statements")),
    ],
)
def test_work(golden: Golden, name: str, render_it: Callable[[Outcome], str]) -> None:
    """Counts with their causes, explained for people and for programs."""
    golden(name, render_it(OUTCOMES["work"]()))
