"""Every format bears every outcome: too large, hostile, empty."""

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
from markdown_it import MarkdownIt

from perfci.errors import ConfigError, ResultError
from perfci.model import (
    Culprit,
    CulpritKind,
    Interval,
    Look,
    Outcome,
    Role,
    RoundKind,
    SeriesVerdict,
    Verdict,
    Weight,
    WordedFinding,
    WordedReason,
)
from perfci.report import FORMATS, render, result_json, terminal
from perfci.report.explain import explain, explain_json
from tests.builders import (
    a_budget,
    a_comparison,
    a_decision,
    a_finding,
    a_metric,
    a_regression,
    a_subject,
    an_outcome,
    an_slo,
    an_slo_result,
)
from tests.golden.outcomes import OUTCOMES, counted

WORST_NAMES = ["😀" * 200, "`" * 200, "@#" * 100, "x" * 200, "a|\\|" * 50, "<b>" * 70]


def a_huge_outcome(name: str = "😀" * 200, *, text: str = "@" * 5000) -> Outcome:
    """Two thousand endpoints with long names that are all red, and as many of everything else."""
    red = a_regression()
    decisions = tuple(
        replace(red, comparison=replace(red.comparison, series=replace(red.comparison.series, endpoint=f"{n}{name}")))
        for n in range(2000)
    )
    slo = an_slo_result(slo=an_slo(endpoint=name), held=False)
    return an_outcome(
        verdict=Verdict.REGRESSION,
        reason=text,
        decisions=decisions,
        slos=(slo,) * 100,
        findings=(a_finding(message=text, hint=text),) * 100,
        subject=a_subject(profile=name, reference_name=text, machine=text, load=text),
        family=2000,
    )


@pytest.mark.parametrize("name", WORST_NAMES)
@pytest.mark.parametrize("text", ["@" * 5000, "😀" * 5000, "x" * 5000])
def test_must_13_comment_fits(name: str, text: str) -> None:
    """A comment stays within 60,000 UTF-16 units, balanced, and says how many rows are missing and where they are."""
    body = render("markdown", a_huge_outcome(name, text=text), run="https://git.example.org/r/1")
    assert len(body.encode("utf-16-le")) // 2 <= 60_000
    assert body.count("<details>") == body.count("</details>") == 1
    assert "1975 more series" in body
    assert "`result.json` of the artifact" in body


def a_culprit(text: str) -> Culprit:
    """An N+1 of a statement that somebody else wrote."""
    return Culprit(kind=CulpritKind.N_PLUS_ONE, what=text, before=1, after=20, beside=text)


def work_because_of(text: str) -> Outcome:
    """Many red counts, each with as many culprits as there may be."""
    culprits = (a_culprit(text),) * 5
    counts = tuple(counted("db/statements", 4, 23, *culprits, endpoint=f"{number} {text}") for number in range(100))
    huge = a_huge_outcome(text, text=text * 20)
    return replace(huge, decisions=(*counts, *huge.decisions))


@pytest.mark.parametrize("text", WORST_NAMES)
def test_comment_fits_with_causes(text: str) -> None:
    """However long the statements are, and however many."""
    body = render("markdown", work_because_of(text * 10))
    assert len(body.encode("utf-16-le")) // 2 <= 60_000
    assert body.count("**N+1**") >= 5
    assert "Further causes are in `result.json`" in body


@pytest.mark.parametrize("text", [*WORST_NAMES, "a\nb", "</details>", "-->", "| x |", "`; @octocat #1 [x](http://x)"])
def test_a_statement_is_shown_as_text(text: str) -> None:
    """It leaves the list and the tables as they are, and is neither a link nor a mention nor an escape sequence."""
    outcome = an_outcome(decisions=(counted("db/statements", 4, 23, a_culprit(text)),))
    tokens = MarkdownIt("commonmark").enable("table").parse(render("markdown", outcome))
    kinds = [token.type for token in tokens]
    assert (kinds.count("table_open"), kinds.count("tr_open")) == (1, 2)
    assert kinds.count("bullet_list_open") == 3
    inner = [child.type for token in tokens for child in token.children or ()]
    assert not {"link_open", "image", "html_inline"} & set(inner)
    assert not re.search(r"@\w", render("markdown", outcome))
    assert not re.search(r"\x1b|::|##\[", render("markdown", outcome) + terminal.render(outcome))


def test_must_13_summary_fits() -> None:
    """A job summary stays below 1 MiB, with as many rows as that allows."""
    outcome = a_huge_outcome()
    body = render("summary", replace(outcome, decisions=outcome.decisions * 2))
    assert 900_000 < len(body.encode()) < 1 << 20
    assert body.count("<details>") == body.count("</details>") == 2
    left_out = re.search(r"^(\d+) more series are in `result.json`", body, re.MULTILINE)
    assert left_out
    assert body.count("❌ regression |") == 25 + 4000 - int(left_out[1])


@pytest.mark.parametrize("name", [*WORST_NAMES, "a\nb", "</details>", "-->", "| x |"])
def test_comment_structure(name: str) -> None:
    """Hostile names leave the tables, the fold and the lists as they are."""
    outcome = replace(a_huge_outcome(name, text=name), findings=(a_finding(message=name, hint=name),))
    tokens = MarkdownIt("commonmark").enable("table").parse(render("markdown", outcome))
    kinds = [token.type for token in tokens]
    assert kinds.count("table_open") == 2
    assert kinds.count("tr_open") == 2 * 26
    assert kinds.count("td_open") == 2 * 25 * 6
    assert kinds.count("bullet_list_open") == 2
    assert kinds.count("heading_open") == 1
    assert [t.content.strip() for t in tokens if t.type == "html_block"] == [
        "<details><summary>What the gate could have seen, machine and load</summary>",
        "</details>",
    ]


def test_first_line_is_the_verdict() -> None:
    """The verdict is a word on the first line of what people read."""
    for fmt in ("text", "markdown", "summary"):
        for verdict in Verdict:
            first = render(fmt, an_outcome(verdict=verdict)).partition("\n")[0]
            assert verdict.value in first.lower()


@pytest.mark.parametrize("fmt", sorted(FORMATS.keys() - {"csv"}))
def test_empty(fmt: str) -> None:
    """An outcome with nothing in it can be shown; the CSV would be a head without rows."""
    subject = a_subject(reference_name="", base_commit="", head_commit="", machine="", load="")
    empty = an_outcome(decisions=(), verdict=Verdict.INVALID, reason="", subject=subject, family=0)
    assert "invalid" in render(fmt, empty).lower()


@pytest.mark.parametrize("fmt", FORMATS)
def test_deterministic(fmt: str) -> None:
    """The same outcome gives the same document."""
    assert render(fmt, OUTCOMES["regression"]()) == render(fmt, OUTCOMES["regression"]())


def test_unknown_link() -> None:
    """A link that no report knows is a mistake in the program, not ignored."""
    with pytest.raises(TypeError):
        render("markdown", an_outcome(), rum="https://git.example.org")


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("case", OUTCOMES)
def test_terminal_width(case: str, width: int) -> None:
    """No line is wider than asked, and without colour there is no escape sequence."""
    text = terminal.render(OUTCOMES[case](), width=width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


def test_terminal_colour_is_not_needed() -> None:
    """Colour adds nothing but escape sequences."""
    plain, coloured = (terminal.render(OUTCOMES["regression"](), colour=colour) for colour in (False, True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured).split() == plain.split()


def test_terminal_is_not_flooded() -> None:
    """Two thousand red rows are 25 rows and a count, unless all are asked for."""
    outcome = replace(a_huge_outcome("GET /"), slos=(), findings=())
    assert len(terminal.render(outcome).splitlines()) < 80
    assert "1975 more series" in terminal.render(outcome)
    some = replace(outcome, decisions=outcome.decisions[:100])
    assert terminal.render(some, verbose=True).count("✗ regression") == 100


def test_terminal_shows_hostile_names_as_text() -> None:
    """Escape sequences, markup and workflow commands in a name are not obeyed."""
    names = ("\x1b[2J", "[red]x[/red]", "::error::x", "##[error]x")
    text = terminal.render(
        an_outcome(decisions=tuple(a_decision(comparison=a_comparison(endpoint=name)) for name in names)), width=200
    )
    assert "\x1b" not in text
    assert "[red]x[/red]" in text
    assert "::error" not in text
    assert "##[" not in text


def test_verbose() -> None:
    """What is for information only is shown on request."""
    advisory = a_decision(comparison=a_comparison(endpoint="GET /told", budget=a_budget(role=Role.ADVISORY)))
    outcome = an_outcome(decisions=(advisory,))
    assert "GET /told" not in terminal.render(outcome)
    assert "1 more series" in terminal.render(outcome)
    assert "GET /told" in terminal.render(outcome, verbose=True)


@pytest.mark.parametrize("case", OUTCOMES)
def test_json_round_trip(case: str) -> None:
    """What was written is read back whole, so that every other format can be rendered from it."""
    outcome = OUTCOMES[case]()
    assert result_json.read(render("json", outcome).encode()) == worded(outcome)


def worded(outcome: Outcome) -> Outcome:
    """The outcome with the words of its reasons alone, as a result keeps them."""
    return replace(
        outcome,
        because=WordedReason(outcome.reason),
        decisions=tuple(replace(each, because=WordedReason(each.reason)) for each in outcome.decisions),
        slos=tuple(replace(each, because=WordedReason(each.reason)) for each in outcome.slos),
    )


def test_json_has_no_nan() -> None:
    """A number that is none is null."""
    comparison = a_comparison(
        base=math.nan, candidate=math.inf, p_worse=math.nan, change=Interval(estimate=0.1, low=-math.inf, high=math.inf)
    )
    text = render("json", an_outcome(decisions=(a_decision(comparison=comparison, p_adjusted=math.nan),)))
    shown = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in result.json"))["decisions"][0]
    assert (shown["base"], shown["candidate"], shown["p_worse"], shown["p_adjusted"]) == (None,) * 4
    change = result_json.read(text.encode()).decisions[0].comparison.change
    assert change == comparison.change


@pytest.mark.parametrize("name", WORST_NAMES)
def test_json_can_always_be_read(name: str) -> None:
    """However much was measured, the reader's limit is kept, and a finding says what was left out."""
    data = render("json", a_huge_outcome(name)).encode()
    assert len(data) <= result_json.MAX_BYTES
    outcome = result_json.read(data)
    assert 300 < len(outcome.decisions) <= 2000
    assert outcome.findings[-1].code == "result-cut"
    assert f"{2000 - len(outcome.decisions)} series" in outcome.findings[-1].message


def spoiled(**changes: Any) -> bytes:
    """A result with some top-level keys changed."""
    return json.dumps(json.loads(render("json", OUTCOMES["regression"]())) | changes).encode()


def a_decision_with(**changes: Any) -> dict[str, Any]:
    """The decisions of a result, the first one changed."""
    decisions = json.loads(render("json", OUTCOMES["regression"]()))["decisions"]
    return {"decisions": [decisions[0] | changes, *decisions[1:]]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        spoiled().ljust(result_json.MAX_BYTES + 1),
        spoiled(schema_version=2),
        spoiled(schema_version="1"),
        spoiled(verdict="great"),
        spoiled(alpha="0.01"),
        spoiled(alpha=math.nan),
        spoiled(alpha=math.inf),
        spoiled(reason="x" * 2001),
        spoiled(extra=1),
        spoiled(metrics={}),
        spoiled(family=-1),
        spoiled(decisions=None),
        spoiled(**a_decision_with(endpoint="x" * 301)),
        spoiled(**a_decision_with(base=math.nan)),
        spoiled(**a_decision_with(base="4.1")),
        spoiled(**a_decision_with(change={"estimate": None, "low": 0, "high": 0})),
        spoiled(**{"::set-output name=x::y\n##[error]": 1}),
    ],
)
def test_json_reader_refuses(data: bytes) -> None:
    """What is no result is refused, in one line that repeats nothing of it that the runner would obey."""
    with pytest.raises(ResultError) as refusal:
        result_json.read(data)
    message = str(refusal.value)
    assert "\n" not in message
    assert "::" not in message
    assert "##[" not in message
    assert len(message) < 300


def test_json_reader_accepts_what_the_tests_spoil() -> None:
    """The document that the refusals start from is fine."""
    assert result_json.read(spoiled(**a_decision_with())) == OUTCOMES["regression"]()


def test_findings_of_each_weight() -> None:
    """Each weight of a finding is a word, not a colour."""
    findings = tuple(WordedFinding(code=f"c-{w}", weight=w, message=f"m-{w}") for w in Weight)
    for fmt in ("text", "markdown"):
        text = render(fmt, an_outcome(findings=findings)).lower()
        for weight in Weight:
            assert re.search(rf"{weight}:(\*\*)? m-{weight}", text)


def test_explain_by_part_of_the_name() -> None:
    """A part of the name is enough where it names one series."""
    assert explain(an_outcome(), "post").startswith("✓ EQUIVALENT  POST /tickets/ service_time\n")


@pytest.mark.parametrize(("wanted", "hinted"), [("tickets", 3), ("GET", 2), ("no such thing", 3)])
def test_explain_unknown(wanted: str, hinted: int) -> None:
    """A name of none or of several series is an error that lists what there is."""
    with pytest.raises(ConfigError) as refusal:
        explain(an_outcome(), wanted)
    assert refusal.value.hint.count("service_time") == hinted


def test_explain_of_a_result_without_series_says_so() -> None:
    """A list of no names to choose from would be no next step."""
    with pytest.raises(ConfigError, match="this result holds no series"):
        explain(an_outcome(decisions=()), "GET /")


def test_explain_lists_a_name_once_that_turns_and_load_have_in_common() -> None:
    """A name that stands for both kinds of rounds is one choice, and is itself enough."""
    comparisons = [a_comparison(endpoint="GET /a", kind=kind) for kind in RoundKind]
    outcome = an_outcome(decisions=tuple(a_decision(comparison=comparison) for comparison in comparisons))
    assert explain(outcome, "/a").count("EQUIVALENT  GET /a") == len(comparisons)


def test_explain_takes_the_name_that_the_table_prints() -> None:
    """In its columns, and without an underscore."""
    assert explain(an_outcome(), "POST /tickets/   service time").startswith(
        "✓ EQUIVALENT  POST /tickets/ service_time"
    )


def test_explain_exact_name_wins() -> None:
    """A name that is also a part of others means the series that has it."""
    decisions = tuple(
        a_decision(comparison=a_comparison(endpoint=endpoint)) for endpoint in ("GET /a", "GET /a service_time x")
    )
    assert explain(an_outcome(decisions=decisions), "GET /a service_time").count("EQUIVALENT") == 1


def test_explain_higher_is_better() -> None:
    """Where more is better, a regression is a negative change."""
    comparison = a_comparison(metric="throughput", budget=a_budget(change=0.05, floor=0.0))
    assert a_metric("throughput").better == "higher"
    text = explain(an_outcome(decisions=(a_decision(comparison=comparison),)), "throughput")
    assert "needs a change of -5 % or worse" in text


def test_explain_as_json() -> None:
    """What the text says, for programs: the decision as in result.json, its family, and what would have changed it."""
    outcome = OUTCOMES["regression"]()
    (found,) = json.loads(explain_json(outcome, "GET /tickets/ service_time"))["explained"]
    decision = json.loads(render("json", outcome))["decisions"][0]
    assert {key: found[key] for key in decision} == decision
    assert (found["family"], found["alpha"]) == (outcome.family, outcome.alpha)
    with pytest.raises(ConfigError):
        explain_json(outcome, "no such thing")


def would_change(**changes: Any) -> str:
    """What the explanation of one series says about another verdict."""
    decision = {key: changes.pop(key) for key in ("verdict", "p_adjusted", "further_blocks") if key in changes}
    outcome = an_outcome(decisions=(a_decision(comparison=a_comparison(**changes), **decision),), family=12)
    (found,) = json.loads(explain_json(outcome, "service_time"))["explained"]
    return "; ".join(found["would_change"])


def test_what_would_have_changed_a_verdict() -> None:
    """The change that was needed and why, the family, the blocks; and nothing where it only informs."""
    assert "red from a change of about +3.0 % on (the budget)" in would_change(critical_change=0.02)
    assert "about +4.0 % on (below that it could be noise)" in would_change(critical_change=0.04)
    assert "about +10 % on (the budget)" in would_change(base=0.5, critical_change=0.02)
    alone = would_change(critical_change=0.02, p_worse=0.002, p_adjusted=0.024)
    assert "without the other 11 series of its family (p = 0.002 alone)" in alone
    assert "family" not in would_change(critical_change=0.02, p_worse=0.0002, p_adjusted=0.0024)
    assert "about 14 more blocks" in would_change(critical_change=0.02, further_blocks=14)
    assert would_change(budget=a_budget(role=Role.ADVISORY)) == "never red: this series is for information only"
    assert would_change(change=None) == ""


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("case", ["regression", "work"])
def test_explanations_keep_the_width(case: str, width: int) -> None:
    """Every series."""
    outcome = OUTCOMES[case]()
    for decision in outcome.decisions:
        series = decision.comparison.series
        text = explain(outcome, f"{series.endpoint} {series.metric.name}", width=width)
        assert max(map(len, text.splitlines())) <= width


def test_explain_shows_what_each_look_said_and_had_spent() -> None:
    """In a run that was judged while it was measured."""
    looks = (
        Look(
            block=3,
            fraction=0.25,
            spent=0.25**3,
            change=Interval(estimate=0.02, low=-0.04, high=0.08),
            p_adjusted=0.2,
            verdict=SeriesVerdict.INCONCLUSIVE,
        ),
        Look(
            block=4,
            fraction=1 / 3,
            spent=1 / 27,
            change=Interval(estimate=0.03, low=0.01, high=0.05),
            p_adjusted=0.004,
            verdict=SeriesVerdict.REGRESSION,
        ),
    )
    text = explain(an_outcome(decisions=(a_decision(looks=looks),)), a_decision().comparison.series.endpoint, width=140)
    assert "Looks       after block 3: 1.6 % of alpha spent; +2.0 % [-4.0 %, +8.0 %], p = 0.2: inconclusive" in text
    assert "            after block 4: 3.7 % of alpha spent; +3.0 % [+1.0 %, +5.0 %], p = 0.004: regression" in text
