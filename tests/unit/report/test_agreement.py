"""All reports of one outcome agree: how many series are red, which are named, and in which order."""

import importlib
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.errors import ConfigError, ExitCode
from perfci.model import Outcome, Verdict
from perfci.pipeline import documents
from perfci.pipeline.publish import publish
from perfci.publish import comment
from perfci.report import FORMATS, render, rows, terminal
from perfci.report.view import View
from perfci.sentences.headline import headline
from tests.builders import a_regression, an_outcome, an_slo, an_slo_result
from tests.golden.outcomes import OUTCOMES, statements

explain = importlib.import_module("perfci.report.explain").explain  # the room has a function of that name, too
RED = {"GET /tickets/ service_time", "GET /tickets/ db/statements", "POST /tickets/ service_time"}


MARKS = "|".join(map(re.escape, rows.MARKS.values()))


def _red() -> Outcome:
    """Two red series of one endpoint, one of another, and a limit that was not held."""
    slower = a_regression()
    slower_too = replace(slower.comparison, series=replace(slower.comparison.series, endpoint="POST /tickets/"))
    decisions = (slower, a_regression(comparison=slower_too), statements())
    breached = an_slo_result(slo=an_slo(), held=False, rounds_within=0, reason="0/8 rounds within 200 ms")
    reason = str(headline(decisions, ()))
    return an_outcome(verdict=Verdict.REGRESSION, reason=reason, decisions=decisions, slos=(breached,))


def test_every_report_has_the_same_number_of_regressions(tmp_path: Path) -> None:
    """Series are counted, and the headline counts endpoints, which it says."""
    outcome = _red()
    assert {rows.label(decision.comparison.series) for decision in outcome.decisions} == RED
    assert outcome.reason.endswith("(and 1 more red endpoint)")
    document = json.loads(render("json", outcome))
    suite = ET.fromstring(FORMATS["junit"].render(View(outcome=outcome)))[0]  # noqa: S314  # ours
    metrics = render("openmetrics", outcome)
    assert document["series"]["regression"] == len(RED)
    assert [each["verdict"] for each in document["decisions"]].count("regression") == len(RED)
    assert len(suite.findall(".//failure[@type='regression']")) == len(RED)
    assert len(suite.findall(".//failure[@type='slo breach']")) == len(outcome.slos)
    assert re.search(rf"^perfci_regressions\{{.*\}} {len(RED)}(\.0)?$", metrics, re.MULTILINE)
    documents.write(View(outcome=outcome), tmp_path, code=ExitCode.REGRESSION)
    environ = {"GITHUB_OUTPUT": str(tmp_path / "out"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    publish(tmp_path, environ, policy=comment.Policy.OFF, token="", artifact_url="", login="")
    assert f"\n{len(RED)}\n" in (tmp_path / "out").read_text().partition("regressions<<")[2]


@pytest.mark.parametrize("report", ["terminal", "markdown", "summary", "html"])
def test_every_red_series_stands_in_every_report(report: str) -> None:
    """As a row of its own, or beside the row that stands for its endpoint."""
    text = terminal.render(_red(), width=120) if report == "terminal" else render(report, _red())
    said = " ".join(re.sub(r"<[^>]+>|[`\\|]", " ", text).split())
    for name in RED:
        assert name.replace("_", " ") in said
    (slo,) = map(rows.slo_row, _red().slos)
    assert slo.limit in said


@pytest.mark.parametrize("name", OUTCOMES)
def test_explain_takes_the_name_of_every_row(name: str) -> None:
    """In one column as in two, with underscores as without."""
    outcome = OUTCOMES[name]()
    for decision in outcome.decisions:
        row = rows.row(decision)
        for wanted in (row.label, f"{row.endpoint}  {row.metric}", rows.label(decision.comparison.series)):
            try:
                text = explain(outcome, wanted)
            except ConfigError as error:
                pytest.fail(f"{wanted}: {error}")
            assert rows.label(decision.comparison.series) in text


@pytest.mark.parametrize("name", OUTCOMES)
def test_the_stored_report_has_the_order_of_the_screen(name: str) -> None:
    """Its table begins with the rows of the screen; it only has more of them."""
    outcome = OUTCOMES[name]()
    screen = _table(terminal.render(outcome, width=120))
    stored = _table(terminal.document(View(outcome=outcome)))
    assert stored[: len(screen)] == screen
    assert len(stored) == len(outcome.decisions)


def _table(text: str) -> list[str]:
    """The rows of the table of series, without their spaces."""
    lines = text.splitlines()
    heads = [number for number, line in enumerate(lines) if line.startswith("Endpoint ")]
    if not heads:
        return []
    found = []
    for line in lines[heads[0] + 1 :]:
        if not re.search(rf" ({MARKS}) \w", line):
            break
        found.append(" ".join(line.split()))
    return found
