"""CSV, JUnit XML and OpenMetrics, read back by what reads them."""

import csv
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from lxml import etree
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from perfci.model import Outcome, Role, SeriesVerdict, Verdict
from perfci.report import FORMATS
from perfci.report.view import View
from tests.builders import a_paired_run, a_red_outcome
from tests.golden.outcomes import OUTCOMES

JUNIT = etree.XMLSchema(etree.parse(Path(__file__).parents[2] / "data/junit.xsd"))
HOSTILE = "=cmd|' /C calc'!A0\n\x1b[31m\"<b>]]>&\x00"


def scraped(view: View) -> dict[str, Any]:
    """The families of metrics by name, as Prometheus' own parser reads them."""
    text = FORMATS["openmetrics"].render(view)
    return {family.name: family for family in text_string_to_metric_families(text)}  # type: ignore[no-untyped-call]


def renamed(outcome: Outcome, name: str) -> Outcome:
    """The outcome with every endpoint called *name*."""
    decisions = [
        replace(
            decision,
            comparison=replace(decision.comparison, series=replace(decision.comparison.series, endpoint=name)),
        )
        for decision in outcome.decisions
    ]
    return replace(outcome, decisions=tuple(decisions))


def rows_of(view: View) -> list[dict[str, str]]:
    """The rows of the CSV."""
    return list(csv.DictReader(StringIO(FORMATS["csv"].render(view))))


def test_the_csv_has_a_row_for_each_endpoint_side_and_kind() -> None:
    """Locust's columns come first, under Locust's names; the requests are those of all rounds together."""
    run = a_paired_run()
    rows = rows_of(View(outcome=a_red_outcome(), run=run))
    assert list(rows[0])[:4] == ["Type", "Name", "Request Count", "Failure Count"]
    wanted = {(each.side.value, each.kind.value, name): 0 for each in run.rounds for name in each.endpoints}
    for each in run.rounds:
        for name, seen in each.endpoints.items():
            wanted[each.side.value, each.kind.value, name] += seen.requests
    found = {
        (row["Side"], row["Kind"], f"{row['Type']} {row['Name']}".strip()): int(row["Request Count"]) for row in rows
    }
    assert found == wanted


def test_names_in_a_csv_are_no_formulas() -> None:
    """What a spreadsheet would run is text."""
    run = a_paired_run()
    rounds = [replace(each, endpoints={HOSTILE: next(iter(each.endpoints.values()))}) for each in run.rounds]
    rows = rows_of(View(outcome=a_red_outcome(), run=replace(run, rounds=tuple(rounds))))
    assert {row["Name"][:5] for row in rows} == {"'=cmd"}
    assert not any("\x1b" in row["Name"] or "\n" in row["Name"] for row in rows)


@pytest.mark.parametrize("case", OUTCOMES)
def test_junit_is_green_only_for_a_pass(case: str) -> None:
    """Every other verdict has a failure or an error, or nothing that could be called passed; the sums are right."""
    outcome = OUTCOMES[case]()
    (suite,) = ET.fromstring(FORMATS["junit"].render(View(outcome=outcome)))  # noqa: S314  # ours
    cases = suite.findall("testcase")
    problems = {tag: sum(found.find(tag) is not None for found in cases) for tag in ("failure", "error")}
    assert (suite.attrib["failures"], suite.attrib["errors"], suite.attrib["tests"]) == (
        str(problems["failure"]),
        str(problems["error"]),
        str(len(cases)),
    )
    if outcome.verdict is Verdict.PASS:
        assert not any(problems.values())
    elif outcome.verdict is not Verdict.NO_BASELINE:
        assert any(problems.values())
    if outcome.verdict in {Verdict.REGRESSION, Verdict.SLO_BREACH}:
        assert problems["failure"]


@pytest.mark.parametrize("hostile", [False, True])
@pytest.mark.parametrize("case", OUTCOMES)
def test_junit_is_valid_by_the_schema(case: str, hostile: bool) -> None:
    """The schema has what Jenkins, GitLab and others read, as Jenkins' xUnit plug-in checks it."""
    outcome = renamed(OUTCOMES[case](), HOSTILE) if hostile else OUTCOMES[case]()
    document = FORMATS["junit"].render(View(outcome=outcome, run=a_paired_run()))
    JUNIT.assertValid(etree.fromstring(document.encode()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('tests="', 'tests="many '),
        ("<testcase ", "<test "),
        (' name="', ' title="'),
        ('time="0"', 'time="0 s"'),
        ("<failure ", "<failed "),
    ],
)
def test_the_schema_refuses_another_document(old: str, new: str) -> None:
    """A check that could not fail would show nothing."""
    document = FORMATS["junit"].render(View(outcome=a_red_outcome()))
    tag = new.strip("< ")
    changed = document.replace(old, new).replace(f"</{old.strip('< ')}>", f"</{tag}>")
    assert changed != document
    assert not JUNIT.validate(etree.fromstring(changed.encode()))


@pytest.mark.parametrize("case", OUTCOMES)
def test_junit_has_a_case_for_each_required_series_and_slo(case: str) -> None:
    """No more and no less, beside regressions of other series and findings that are problems."""
    outcome = OUTCOMES[case]()
    root = ET.fromstring(FORMATS["junit"].render(View(outcome=outcome)))  # noqa: S314  # ours
    found = [(each.attrib["classname"], each.attrib["name"]) for each in root.iter("testcase")]
    required = [
        (f"perfci.{each.comparison.kind}", f"{each.comparison.series.endpoint} {each.comparison.series.metric.name}")
        for each in outcome.decisions
        if each.comparison.budget.role is Role.REQUIRED
    ]
    assert [each for each in found if each in set(required)] == required
    assert sum(group == "perfci.slo" for group, _ in found) == len(outcome.slos)


def test_junit_holds_any_name() -> None:
    """Control characters, quotes and markup leave a document that can be parsed."""
    document = FORMATS["junit"].render(View(outcome=renamed(a_red_outcome(), HOSTILE)))
    names = [case.attrib["name"] for case in ET.fromstring(document).iter("testcase")]  # noqa: S314  # ours
    assert any("<b>" in name for name in names)


@pytest.mark.parametrize("case", OUTCOMES)
def test_openmetrics_can_be_scraped(case: str) -> None:
    """Prometheus' own parser reads it; one verdict is set; times are in seconds."""
    outcome = OUTCOMES[case]()
    families = scraped(View(outcome=outcome, run=a_paired_run()))
    states = {sample.labels["verdict"]: sample.value for sample in families["perfci_verdict"].samples}
    assert [name for name, value in states.items() if value] == [outcome.verdict.value]
    for decision in outcome.decisions:
        series, value = decision.comparison.series, decision.comparison.candidate
        if series.metric.name == "service_time" and value is not None:
            found = {
                sample.value
                for sample in families["perfci_candidate_value"].samples
                if sample.labels["endpoint"] == series.endpoint and sample.labels["metric"] == "service_time"
            }
            assert list(found) == [pytest.approx(value / 1000)]


def test_openmetrics_hold_any_name() -> None:
    """Two names that are alike once they are harmless are one series: a page with both could not be scraped."""
    assert scraped(View(outcome=renamed(a_red_outcome(), HOSTILE)))


def test_every_verdict_of_a_series_has_a_rank() -> None:
    """The CSV shows the severest one."""
    from perfci.report.csv_table import _SEVEREST

    assert set(_SEVEREST) == set(SeriesVerdict)
