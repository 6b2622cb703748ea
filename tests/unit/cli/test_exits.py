"""Every way out of the program: the exit code, what is said, and where."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
import pytest

from perfci import store
from perfci.cli.options import Pairs, Seconds
from perfci.cli.output import say
from perfci.errors import ConfigError, ExitCode, Interrupted, LoadError
from perfci.model import Verdict
from perfci.pipeline import documents
from perfci.report.view import View
from tests.builders import a_paired_run, a_red_outcome, a_run, an_outcome
from tests.fakes.shell import Perfci


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["rnu", "tickets"], "No such command 'rnu'"),
        (["run"], "Missing argument 'PROFILE[:SCENARIO]'"),
        (["run", "tickets", "--users", "0"], "'--users'"),
        (["run", "tickets", "--duration", "1h30m"], "a duration is a number of seconds"),
        (["run", "tickets", "--blocks", "1"], "'--blocks'"),
        (["run", "tickets", "--candidate-env", "A"], "'A' is not of the form KEY=VALUE"),
        (["run", "tickets", "--fail-on", "always"], "'--fail-on'"),
        (["run", "tickets", "--base", ""], "'--base': it is empty"),
        (["run", "tickets", "--candidate", ""], "'--candidate': it is empty"),
        (["doctor", "--environment", ""], "'--environment': it is empty"),
        (["compare"], "Missing argument"),
        (["compare", "a", "b", "c"], "compare takes one or two paths"),
        (["gate"], "Missing argument 'RUN'"),
        (["run", "tickets"], "there is no"),
        (["compare", "a", "b"], "there is no run at"),
        (["baseline", "record", "a"], "there is no"),
        (["seed", "http://127.0.0.1:1"], "there is no"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_usage_errors_are_2(perfci: Perfci, arguments: list[str], message: str) -> None:
    """On standard error, naming what was wrong; nothing on standard output, no traceback."""
    code, out, err = perfci(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.kind("J")
def test_an_empty_variable_is_no_base(perfci: Perfci, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs of the Action are variables, and an input that was left out is an empty one."""
    monkeypatch.setenv("PERFCI_BASE", "")
    monkeypatch.setenv("PERFCI_ENVIRONMENT", "")
    code, _, err = perfci("run", "tickets")
    assert code == 2
    assert "there is no" in err  # configuration


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.REGRESSION])
def test_gate_repeats_what_was_found(perfci: Perfci, tmp_path: Path, verdict: Verdict) -> None:
    """Its exit code is the stored one, whatever the verdict."""
    outcome = an_outcome() if verdict is Verdict.PASS else a_red_outcome()
    expected = ExitCode.OK if verdict is Verdict.PASS else ExitCode.REGRESSION
    documents.write(View(outcome=outcome), tmp_path / "run", code=expected)
    assert perfci("gate", "run") == (int(expected), f"perfci: {verdict}: {outcome.reason}\n", "")


def test_gate_without_a_result_is_3(perfci: Perfci, tmp_path: Path) -> None:
    """Never green: the step that measured did not come to its end."""
    code, out, err = perfci("gate", "run")
    assert (code, out) == (3, "")
    assert err.splitlines()[0] == "perfci: there is no result in run: the measuring step did not finish"
    assert err.splitlines()[1].startswith("next: ")


@pytest.mark.parametrize(
    ("slower", "options", "expected"),
    [(1.0, [], 0), (1.5, [], 10), (1.5, ["--fail-on", "never"], 0), (1.5, ["--json"], 10), (1.5, ["--markdown"], 10)],
)
def test_compare_ends_with_the_verdict(
    perfci: Perfci, tmp_path: Path, slower: float, options: list[str], expected: int
) -> None:
    """In every form; the verdict is on standard output."""
    store.save(a_paired_run(slower={"GET /tickets/": slower}), tmp_path / "run.json")
    code, out, err = perfci("compare", "run.json", *options)
    assert (code, err) == (expected, "")
    assert ("% slower" in out) is (slower > 1)


def test_explain_an_unknown_series_is_a_usage_error(perfci: Perfci, tmp_path: Path) -> None:
    """The known ones are listed, so that the next attempt succeeds."""
    store.save(a_paired_run(), tmp_path / "run.json")
    code, out, err = perfci("compare", "run.json", "--explain", "GET /none service_time")
    assert (code, out) == (2, "")
    assert "GET /tickets/" in err


def test_a_run_is_recorded_by_name(perfci: Perfci, tmp_path: Path) -> None:
    """The new file is told, and what to do with it."""
    (tmp_path / "perfci.toml").write_text(
        '[target]\nkind = "command"\n[profiles.tickets]\nlocustfile = "x.py"\nscenarios.smoke = {}\n'
    )
    store.save(a_run(), tmp_path / "run.json")
    code, out, err = perfci("baseline", "record", "run.json")
    assert (code, err) == (0, "")
    assert out.startswith("recorded ")
    assert out.endswith("; commit it to make it count\n")
    assert len(list((tmp_path / "baselines" / "tickets-smoke").iterdir())) == 1


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An entry for each time that perfci ends its descendants, which here are those of the tests as well."""
    calls: list[str] = []
    monkeypatch.setattr("perfci.rig.host.process.end_descendants", lambda: calls.append("all"))
    return calls


def _raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (LoadError("Locust ended", hint="look"), 3, "perfci: Locust ended\nnext: look\n"),
        (ConfigError("no profile"), 2, "perfci: no profile\n"),
        (Interrupted("SIGTERM"), 130, "\nperfci: interrupted; everything that was started is stopped\n"),
        (KeyboardInterrupt(), 130, "\nperfci: interrupted; everything that was started is stopped\n"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_end_with_their_code(  # noqa: PLR0917  # fixtures come by name
    perfci: Perfci,
    monkeypatch: pytest.MonkeyPatch,
    swept: list[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    """What happened, and the next step where there is one; an interruption leaves nothing that nobody held yet."""
    monkeypatch.setattr("perfci.pipeline.documents.read", _raising(error))
    assert perfci("gate", "run") == (code, "", message)
    assert len(swept) == (code == 130)


def test_a_crash_is_no_verdict(perfci: Perfci, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake of perfci's own keeps its traceback, and ends with Python's 1: no code of perfci's."""
    monkeypatch.setattr("perfci.pipeline.documents.read", _raising(ZeroDivisionError("bug")))
    with pytest.raises(ZeroDivisionError):
        perfci("gate", "run")
    assert 1 not in {int(code) for code in ExitCode}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.usefixtures("swept")
def test_a_second_signal_is_ignored(perfci: Perfci, monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """Who presses Ctrl-C twice must not leave containers behind."""
    seen = []

    def interrupted_twice(_: object) -> NoReturn:
        try:
            os.kill(os.getpid(), number)
        except Interrupted as first:
            os.kill(os.getpid(), number)  # would end the test run, were it not ignored
            seen.append(str(first))
            raise
        pytest.fail("not interrupted")

    monkeypatch.setattr("perfci.pipeline.documents.read", interrupted_twice)
    assert perfci("gate", "run")[0] == 130
    assert seen == [number.name]


@pytest.mark.parametrize("text", ["::error::x", "::set-output name=a::b", "##[group]x", "  ::add-mask::x"])
def test_a_runner_obeys_nothing_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """On a runner the log is a control channel; on a laptop the text is what it is."""
    monkeypatch.setenv("GITHUB_ACTIONS", "false")
    say(text)
    assert capsys.readouterr().out == f"{text}\n"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    say(f"first\n{text}")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.lstrip().startswith(("::", "##["))] == []


@pytest.mark.parametrize(
    ("given", "parsed"), [("A=1", ("A", "1")), ("A=", ("A", "")), ("_a1=x=y", ("_a1", "x=y")), ("A= b ", ("A", " b "))]
)
def test_pairs(given: str, parsed: tuple[str, str]) -> None:
    """Split at the first equals sign, otherwise untouched."""
    assert Pairs().convert(given, None, None) == parsed


@pytest.mark.parametrize("given", ["", "A", "=1", "1A=x", "A B=x", "A-B=x"])
def test_what_is_no_pair(given: str) -> None:
    """A name that no shell would take."""
    with pytest.raises(click.BadParameter, match="not of the form KEY=VALUE"):
        Pairs().convert(given, None, None)


def test_durations_are_options_too() -> None:
    """The same forms as in the file."""
    assert Seconds().convert("1500ms", None, None) == 1.5
    with pytest.raises(click.BadParameter, match="'soon': a duration is"):
        Seconds().convert("soon", None, None)
