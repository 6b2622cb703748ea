"""What a judged run leaves behind, and the exit code of every verdict."""

from pathlib import Path

import pytest

from perfci.config import FailOn
from perfci.errors import ConfigError, ExitCode, LoadError, NoResultError, ResultError
from perfci.model import Verdict
from perfci.pipeline import documents
from perfci.pipeline.documents import exit_code
from perfci.report import FORMATS
from perfci.report.view import View
from tests.builders import a_red_outcome, a_subject, an_outcome

ALWAYS = {Verdict.INVALID: ExitCode.NOT_MEASURED, Verdict.PASS: ExitCode.OK}
RED = {Verdict.REGRESSION: ExitCode.REGRESSION, Verdict.SLO_BREACH: ExitCode.REGRESSION}
NOTHING, OPEN = Verdict.NO_BASELINE, Verdict.INCONCLUSIVE
EXPECTED = {
    FailOn.NEVER: {**ALWAYS, **dict.fromkeys([*RED, NOTHING, OPEN], ExitCode.OK)},
    FailOn.REGRESSION: {**ALWAYS, **RED, **dict.fromkeys([NOTHING, OPEN], ExitCode.OK)},
    FailOn.NO_BASELINE: {**ALWAYS, **RED, NOTHING: ExitCode.INCONCLUSIVE, OPEN: ExitCode.OK},
    FailOn.INCONCLUSIVE: {**ALWAYS, **RED, **dict.fromkeys([NOTHING, OPEN], ExitCode.INCONCLUSIVE)},
}


@pytest.mark.parametrize("fail_on", FailOn)
@pytest.mark.parametrize("verdict", Verdict)
def test_exit_codes(verdict: Verdict, fail_on: FailOn) -> None:
    """An invalid measurement always fails; the rest as asked."""
    assert exit_code(verdict, fail_on) is EXPECTED[fail_on][verdict]


def test_what_was_written_is_what_later_steps_read(tmp_path: Path) -> None:
    """Verdict, reason and exit code survive; people find a text and a comment."""
    outcome = a_red_outcome()
    documents.write(View(outcome=outcome), tmp_path / "run", code=ExitCode.REGRESSION)
    folder = tmp_path / "run"
    files = {fmt.file for fmt in FORMATS.values() if fmt.file}
    assert {path.name for path in folder.iterdir()} == {"exit-code", *files}
    assert documents.read(folder).verdict is Verdict.REGRESSION
    assert documents.read(folder).reason == outcome.reason
    assert documents.read_exit(folder) is ExitCode.REGRESSION
    assert (folder / "exit-code").read_text() == "10\n"
    assert "GET /tickets/" in (folder / "report.txt").read_text()


def test_no_result_is_not_green(tmp_path: Path) -> None:
    """A step that only repeats what was found fails where there is nothing, with the code of a measurement."""
    for look in (documents.read, documents.read_exit):
        with pytest.raises(NoResultError, match=f"there is no result in {tmp_path}") as caught:
            look(tmp_path)
        assert caught.value.exit_code is ExitCode.NOT_MEASURED


@pytest.mark.parametrize("text", ["", "ten", "1\n", "99", "0x0", "0 0"])
def test_a_damaged_exit_code_is_not_green(tmp_path: Path, text: str) -> None:
    """Neither is 1, which nobody writes on purpose."""
    (tmp_path / "exit-code").write_text(text)
    with pytest.raises(ResultError, match="does not hold an exit code"):
        documents.read_exit(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 99}'])
def test_a_damaged_result_is_not_green(tmp_path: Path, content: str) -> None:
    """It is a usage error, not a crash."""
    (tmp_path / "result.json").write_text(content)
    with pytest.raises(ResultError):
        documents.read(tmp_path)


def test_a_job_that_could_not_measure_is_invalid_with_the_errors_words() -> None:
    """Its first line is the reason; its evidence and the next step stand in the finding."""
    error = LoadError("Locust ended with 1\nImportError: x", hint="run it by hand")
    outcome = documents.not_measured(error, a_subject(), alpha=0.01)
    assert (outcome.verdict, outcome.reason) == (Verdict.INVALID, "Locust ended with 1")
    (finding,) = outcome.findings
    assert (finding.message, finding.hint) == ("Locust ended with 1\nImportError: x", "run it by hand")


@pytest.mark.kind("B")
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("perfci.toml cannot be used:\n  agianst: unknown key", "perfci.toml cannot be used: agianst: unknown key"),
        ("two reasons:\n  a\n  b\n", "two reasons: a (and 1 more)"),
        ("it ended\nthe end of its log:\nboom", "it ended"),
        ("it ended:", "it ended:"),
    ],
    ids=["one", "two", "log", "nothing"],
)
def test_a_first_line_that_announces_a_list_has_its_first_item(error: str, reason: str) -> None:
    """The headline is one line, and has the cause in it."""
    assert documents.not_measured(ConfigError(error), a_subject(), alpha=0.01).reason == reason


def test_of_a_long_log_the_end_is_quoted() -> None:
    """There the cause stands; a report that cuts long texts must not cut it off."""
    log = "\n".join(f"  File line {number}" for number in range(200))
    outcome = documents.not_measured(LoadError(f"Locust ended\n{log}\nKeyError: 'SHOP'"), a_subject(), alpha=0.01)
    (finding,) = outcome.findings
    assert finding.message.startswith("Locust ended\n… File line 1")
    assert finding.message.endswith("\nKeyError: 'SHOP'")
    assert len(finding.message) < 300
    assert "x" * 99 in documents.not_measured(LoadError(f"a\n{'x' * 999}"), a_subject(), alpha=0.01).findings[0].message


def test_a_failure_before_measuring_is_published_too(tmp_path: Path) -> None:
    """The comment says what is wrong with the configuration, and the gate fails with its code."""
    documents.write_failure(ConfigError("users: must be a number"), tmp_path)
    assert documents.read(tmp_path).reason == "users: must be a number"
    assert documents.read_exit(tmp_path) is ExitCode.USAGE
    assert "users: must be a number" in (tmp_path / "report.md").read_text()


def test_a_new_result_replaces_the_old_one(tmp_path: Path) -> None:
    """No step reads the verdict of one run beside the code of another."""
    documents.write(View(outcome=a_red_outcome()), tmp_path, code=ExitCode.REGRESSION)
    documents.write(View(outcome=an_outcome()), tmp_path, code=ExitCode.OK)
    assert documents.read(tmp_path).verdict is Verdict.PASS
    assert documents.read_exit(tmp_path) is ExitCode.OK
