"""
The report as JUnit XML, which CI systems show as tests: one case for each required series and each SLO.

A regression and a breached SLO are failures. What could not be told is an error, so that it is never shown as passed;
findings that make the run invalid are errors of a case of their own. Advisory and guarding series are not listed unless
they are red.
"""

from collections.abc import Iterator
from xml.etree import ElementTree as ET

from perfci.model import Decision, Finding, Outcome, Role, SeriesVerdict, SloResult, Weight
from perfci.report import rows
from perfci.report.sanitise import plain
from perfci.report.view import View

TEXT_LIMIT = 600

_PROBLEMS = {Weight.INVALID: "error", Weight.REGRESSION: "failure", Weight.INCONCLUSIVE: "error"}
_UNSETTLED = {SeriesVerdict.INCONCLUSIVE, SeriesVerdict.NOT_COMPARED}


def document(view: View) -> str:
    """One test suite for the run."""
    outcome = view.outcome
    name = f"perfci {outcome.subject.profile}:{outcome.subject.scenario}"
    cases = list(_cases(outcome))
    measured_s = sum(each.duration_s for each in view.run.rounds) if view.run is not None else 0.0
    suite = ET.Element(
        "testsuite",
        name=plain(name, TEXT_LIMIT),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped="0",
        time=f"{measured_s:.3f}",
    )
    if view.run is not None:
        suite.set("timestamp", view.run.created_at[:19])  # without a zone, as its readers expect it: UTC
    properties = ET.SubElement(suite, "properties")
    ET.SubElement(properties, "property", name="verdict", value=outcome.verdict.value)
    ET.SubElement(properties, "property", name="reason", value=plain(outcome.reason, TEXT_LIMIT))
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _cases(outcome: Outcome) -> Iterator[ET.Element]:
    for finding in outcome.findings:
        if finding.weight in _PROBLEMS:
            yield _of_finding(finding)
    for decision in outcome.decisions:
        if decision.comparison.budget.role is Role.REQUIRED or (
            decision.counts and decision.verdict is SeriesVerdict.REGRESSION
        ):
            yield _of_decision(decision)
    for slo in outcome.slos:
        yield _of_slo(slo)


def _of_finding(finding: Finding) -> ET.Element:
    case = _case("finding", finding.code)
    _problem(case, _PROBLEMS[finding.weight], finding.code, finding.message)
    return case


def _of_decision(decision: Decision) -> ET.Element:
    comparison = decision.comparison
    case = _case(comparison.kind.value, rows.label(comparison.series))
    if decision.verdict is SeriesVerdict.REGRESSION:
        _problem(case, "failure", decision.verdict.value, decision.reason)
    elif decision.verdict in _UNSETTLED:
        _problem(case, "error", decision.verdict.value, decision.reason)
    else:
        ET.SubElement(case, "system-out").text = plain(decision.reason, TEXT_LIMIT)
    return case


def _of_slo(result: SloResult) -> ET.Element:
    row = rows.slo_row(result)
    case = _case("slo", f"{row.endpoint} {row.metric} {row.limit}")
    if result.held:
        return case
    if not result.slo.fails:
        ET.SubElement(case, "system-out").text = plain(f"{row.word}: {result.reason}", TEXT_LIMIT)
    elif not result.rounds:
        _problem(case, "error", "not checked", result.reason)
    else:
        _problem(case, "failure", "slo breach", result.reason)
    return case


def _case(group: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=f"perfci.{group}", name=plain(name, TEXT_LIMIT), time="0")


def _problem(case: ET.Element, tag: str, kind: str, message: str) -> None:
    found = ET.SubElement(case, tag, type=kind, message=plain(message, TEXT_LIMIT))
    found.text = plain(message, TEXT_LIMIT)
