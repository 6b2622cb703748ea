"""The program in the test's own process, and what tests that run side by side must not share."""

import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from perfci import cli
from tests import kinds
from tests.fakes.shell import Perfci
from tests.machine import machine

# The same examples every time, so that a red test is the change's; `--hypothesis-profile=default` looks for new ones.
# No deadline: a busy machine is no fault of the code.
settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")


def _runs_alone(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("alone", "e2e"))


def _only_computes(item: pytest.Item) -> bool:
    return item.nodeid.startswith(("tests/unit/", "tests/golden/"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Tests that need the machine alone run last; each test carries its kind to its report, wherever it runs.

    Files of whole runs begin before those of short tests, so that no long one begins when the other processes have
    nothing left to do.
    """
    items.sort(key=lambda item: (_runs_alone(item), _only_computes(item)))
    for item in items:
        if marker := item.get_closest_marker("kind"):
            item.user_properties.append(("kind", marker.args[0]))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests hold each kind of fault, of those that ran and passed."""
    passed = (report for report in terminalreporter.stats.get("passed", []) if isinstance(report, pytest.TestReport))
    held = [
        (str(value), report.nodeid) for report in passed for name, value in report.user_properties if name == "kind"
    ]
    if held:
        terminalreporter.section("kinds of faults")
        for line in kinds.table(held):
            terminalreporter.write_line(line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test has the machine from before its fixtures are set up until after they are torn down."""
    with machine(alone=_runs_alone(item)):
        return (yield)


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Each test process notes what it starts in a folder of its own, so that none stops what another one runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def pictures() -> None:
    """The HTML report of this test has its charts."""


@pytest.fixture(autouse=True)
def _tables_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere it has none, as without the library: they take half a second each time."""
    if "pictures" not in request.fixturenames:
        monkeypatch.setattr("perfci.report.charts.drawing._library", lambda: None)


@pytest.fixture
def perfci(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Perfci]:
    """The program in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("PERFCI_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # also where the tests run under nohup, whose wish perfci respects

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["perfci", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)
