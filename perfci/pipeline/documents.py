"""Writes the documents of a judged run into its folder; later steps only publish or read them."""

from pathlib import Path

from perfci.config import FailOn
from perfci.errors import (
    BaseTargetError,
    BaseUnavailableError,
    ExitCode,
    NoResultError,
    PerfciError,
    ResultError,
)
from perfci.model import BASE_UNAVAILABLE, Outcome, Reference, Subject, Verdict, Weight, WordedFinding, WordedReason
from perfci.report import FORMATS, result_json
from perfci.report.view import View
from perfci.store import RunFolder, write_atomically

EVIDENCE = 250
"""Characters quoted from the end of a log: the cause stands last, and the run folder has the whole log."""


def exit_code(verdict: Verdict, fail_on: FailOn) -> ExitCode:
    """The exit code for a verdict. An invalid measurement always fails: it must never count as green."""
    if verdict is Verdict.INVALID:
        return ExitCode.NOT_MEASURED
    if verdict in {Verdict.REGRESSION, Verdict.SLO_BREACH} and fail_on is not FailOn.NEVER:
        return ExitCode.REGRESSION
    if verdict is Verdict.NO_BASELINE and fail_on in {FailOn.NO_BASELINE, FailOn.INCONCLUSIVE}:
        return ExitCode.INCONCLUSIVE
    if verdict is Verdict.INCONCLUSIVE and fail_on is FailOn.INCONCLUSIVE:
        return ExitCode.INCONCLUSIVE
    return ExitCode.OK


def not_measured(error: PerfciError, subject: Subject, *, alpha: float) -> Outcome:
    """The outcome of a job that could not measure: invalid, with the error as its reason."""
    code = BASE_UNAVAILABLE if isinstance(error, BaseUnavailableError | BaseTargetError) else "not-measured"
    first, _, rest = str(error).partition("\n")
    message = f"{first}\n{_end(rest)}" if rest else first
    return Outcome(
        verdict=Verdict.INVALID,
        because=WordedReason(_reason(first, rest), code),
        subject=subject,
        decisions=(),
        slos=(),
        findings=(WordedFinding(code=code, weight=Weight.INVALID, message=message, hint=error.hint),),
        family=0,
        alpha=alpha,
    )


def no_subject(profile: str = "", scenario: str = "") -> Subject:
    """The description of a run in which nothing was measured."""
    return Subject(
        profile=profile,
        scenario=scenario,
        reference=Reference.BASELINE,
        reference_name="nothing",
        base_commit="",
        head_commit="",
        machine="",
        load="",
    )


def _reason(first: str, rest: str) -> str:
    """The *first* line of an error; where it announces a list, with the first item of the *rest*."""
    items = [line.strip() for line in rest.splitlines() if line.strip()]
    if not (items and first.endswith(":")):
        return first
    return f"{first} {items[0]}" + (f" (and {len(items) - 1} more)" if len(items) > 1 else "")


def _end(text: str) -> str:
    """The end of *text*, cut at the start of a line or a word where possible."""
    if len(text) <= EVIDENCE:
        return text
    kept = text[-EVIDENCE:]
    for border in ("\n", " "):
        if border in kept.strip():
            return f"… {kept.partition(border)[2].strip()}"
    return f"… {kept}"


def write(view: View, folder: Path, *, code: ExitCode) -> None:
    """Write the report in every format that has a file, and the exit code of the gate."""
    files = RunFolder(folder)
    for fmt in FORMATS.values():
        if fmt.file:
            write_atomically(files.report(fmt.file), fmt.render(view))
    write_atomically(files.exit_code, f"{int(code)}\n")


def write_failure(error: PerfciError, folder: Path) -> None:
    """Store the error of a job that failed before it measured, for its later steps."""
    write(View(outcome=not_measured(error, no_subject(), alpha=0.0)), folder, code=error.exit_code)


def read(folder: Path) -> Outcome:
    """Read the judged outcome in *folder*."""
    try:
        return result_json.read(RunFolder(folder).result.read_bytes())
    except OSError:
        raise _no_result(folder) from None


def read_exit(folder: Path) -> ExitCode:
    """Read the gate's exit code from *folder*."""
    try:
        return ExitCode(int(RunFolder(folder).exit_code.read_text().strip()))
    except OSError:
        raise _no_result(folder) from None
    except ValueError:
        raise ResultError(f"{RunFolder(folder).exit_code} does not hold an exit code of perfci's") from None


def _no_result(folder: Path) -> NoResultError:
    return NoResultError(
        f"there is no result in {folder}: the measuring step did not finish",
        hint="see the log of that step; this one only reads its result",
    )
