"""Command and external targets with real processes, and every fault that they can have."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import psutil
import pytest
import requests

from perfci.errors import Interrupted, TargetError
from perfci.model import Side
from perfci.rig import target
from perfci.rig.host import process
from perfci.rig.host.free_port import free_port
from tests.fakes.toy_service import serving

ROOT = Path(__file__).parents[2]
TOY = ["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]

ANSWERS_S = 4
"""Time in which a toy that was started answers something, be it that it is not ready; also on a busy machine."""
RUNS_S = 1
"""The same of a toy that runs already, in the test's own process."""

Start = Callable[..., AbstractContextManager[target.RunningTarget]]


@pytest.fixture(autouse=True)
def _nothing_left() -> Iterator[None]:
    """Whatever a test does: no child of it may live afterwards."""
    mine = psutil.Process()
    before = {child.pid for child in mine.children(recursive=True)}
    yield
    assert {child.pid for child in mine.children(recursive=True)} <= before


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """`target.start` for a toy with faults, or for any table."""

    def starter(
        *faults: str,
        environ: Mapping[str, str] | None = None,
        source: Path = ROOT,
        side_by_side: bool = False,
        **table: object,
    ) -> AbstractContextManager[target.RunningTarget]:
        options = {"kind": "command", "command": [*TOY, *faults], "ready": {"timeout_s": 60}, **table}
        return target.start(
            target.parse(options, where="test"),
            source=source,
            workspace=tmp_path / "logs",
            state=tmp_path / "state",
            side=Side.CANDIDATE,
            label="toy",
            environ=os.environ if environ is None else environ,
            extra_env={"EXTRA": "1"},
            side_by_side=side_by_side,
        )

    return starter


def _notes(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "state").glob("*"))


def _refuses(url: str) -> bool:
    try:
        requests.get(url, timeout=30)
    except requests.ConnectionError:
        return True
    return False


def test_serves_inside_the_context_and_is_gone_after_it(start: Start, tmp_path: Path) -> None:
    """A command is ready when its context is entered; afterwards neither its process nor its note is left."""
    with start() as running:
        assert requests.get(running.base_url, timeout=30).json() == {"status": "ok"}
        assert running.health().alive
        assert len(_notes(tmp_path)) == 3  # of the process and of its folder, and the folder
        assert running.description.endswith("tests.fakes.toy --port {port}")
    assert _refuses(running.base_url)
    assert _notes(tmp_path) == []
    assert not running.health().alive


def test_two_copies_run_beside_each_other(start: Start) -> None:
    """Each start gets a port of its own."""
    with start() as first, start() as other:
        assert first.base_url != other.base_url
        assert requests.get(first.base_url, timeout=30).ok
        assert requests.get(other.base_url, timeout=30).ok


def test_each_start_has_a_folder_of_its_own(start: Start) -> None:
    """Empty, private to the user, named to the command and its variables, and gone with the target."""
    env = {"PLACE": "{dir}/data", "WHO": "{side}"}
    with start(env=env) as first, start(env=env) as other:
        assert first.directory is not None
        assert other.directory is not None
        assert first.directory != other.directory
        assert list(first.directory.iterdir()) == []
        assert first.directory.stat().st_mode & 0o777 == 0o700
        given = psutil.Process(first.pid).environ()
        assert (given["PLACE"], given["WHO"]) == (f"{first.directory}/data", "candidate")
    assert not first.directory.exists()
    assert not other.directory.exists()


WRITES = ["sh", "-c", 'exec 3>>"$1"; exec "$2" -m tests.fakes.toy --port "$3"', "sh"]
IN_THE_TREE = [*WRITES, "rows.sqlite", "{python}", "{port}"]


@pytest.mark.parametrize(
    ("apart", "table"),
    [
        (True, {}),
        (True, {"command": [*WRITES, "{dir}/rows.sqlite", "{python}", "{port}"]}),
        (False, {"command": IN_THE_TREE}),
        (False, {"env": {"DATABASE": "rows_{side}"}}),
        (False, {"side_by_side": False}),
    ],
    ids=["nothing", "its own folder", "a file of the tree", "a database for each side", "nobody else runs"],
)
def test_the_next_start_may_overlap_where_nothing_is_shared(
    start: Start, tmp_path: Path, apart: bool, table: dict[str, object]
) -> None:
    """With this one, as far as can be known while it runs."""
    tree = tmp_path / "tree"
    tree.mkdir()
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with start(source=tree, environ=environ, **{"side_by_side": True, **table}) as running:
        assert running.apart() is apart


def test_waits_until_it_is_ready(start: Start) -> None:
    """A service that answers 503 while it starts is waited for, and not much longer than it takes."""
    began = time.monotonic()
    with start("--ready-after", "1") as running:
        assert requests.get(running.base_url, timeout=30).status_code == 200
        assert 1.0 <= time.monotonic() - began < 30.0  # and not until the time-out of 60 s


def test_its_log_is_kept_and_shown(start: Start) -> None:
    """What the service writes lies in a file and in the tail."""
    with start("--say", "hello from the toy") as running:
        assert "hello from the toy" in running.logs_tail()
    assert running.log_path is not None
    assert "hello from the toy" in running.log_path.read_text()


def test_sees_no_secret(start: Start, tmp_path: Path) -> None:
    """The token is not in the environment of the target; what the target needs is."""
    canary = "ghs_canary_1234"
    script = "import os, json, sys; print(json.dumps(dict(os.environ))); sys.exit(3)"
    environ = {**os.environ, "GITHUB_TOKEN": canary, "INPUT_TOKEN": canary, "ACTIONS_RUNTIME_TOKEN": canary}
    table = {"command": ["{python}", "-c", script], "env": {"PORT": "{port}"}}
    with pytest.raises(TargetError), start(environ=environ, **table):
        pass
    seen = (tmp_path / "logs" / "toy.log").read_text()
    assert canary not in seen
    assert re.search(r'"PORT": "\d+"', seen)
    assert '"EXTRA": "1"' in seen


def test_unknown_command(start: Start, tmp_path: Path) -> None:
    """A command that does not exist is named, with the next step."""
    with (
        pytest.raises(TargetError, match="'no-such-server' cannot be run") as caught,
        start(command=["no-such-server", "{port}"]),
    ):
        pass
    assert "install it" in caught.value.hint
    assert _notes(tmp_path) == []


def test_missing_checkout(start: Start, tmp_path: Path) -> None:
    """A folder that is not there is not reported as a missing command."""
    with pytest.raises(TargetError, match="checkout does not exist"), start(source=tmp_path / "nowhere"):
        pass


def test_exits_before_it_is_ready(start: Start) -> None:
    """A target that ends is given up at once, with its exit code and the end of its log."""
    began = time.monotonic()
    with (
        pytest.raises(TargetError, match="exited with code 7") as caught,
        start("--say", "no database", "--ready-after", "60", "--die-after", "0.5", ready={"timeout_s": 60}),
    ):
        pass
    assert "no database" in str(caught.value)
    assert time.monotonic() - began < 40


def test_never_ready(start: Start, tmp_path: Path) -> None:
    """A target that never gets ready costs its time-out and no more, and the last answer is shown."""
    began = time.monotonic()
    with (
        pytest.raises(TargetError, match=r"not ready within 4 s .* last seen: status 503") as caught,
        start("--ready-after", "90", ready={"timeout_s": ANSWERS_S}),
    ):
        pass
    assert time.monotonic() - began < 60
    assert "timeout_s" in caught.value.hint
    assert _notes(tmp_path) == []


def test_readiness_answers_500() -> None:
    """A wrong status is not ready."""
    with (
        serving("--status", "500") as server,
        pytest.raises(TargetError, match="status 500, wanted 200"),
        _external(server.url, ready={"timeout_s": RUNS_S}),
    ):
        pass


def test_accepts_another_status_where_asked(start: Start) -> None:
    """The wanted status is an option."""
    with start("--status", "404", ready={"status": 404, "timeout_s": 60}) as running:
        assert requests.get(running.base_url, timeout=30).status_code == 404


def test_body_must_contain_what_was_asked_for() -> None:
    """A right status with the wrong body is not ready."""
    with serving() as server:
        refused = pytest.raises(TargetError, match="does not contain 'migrated'")
        with refused, _external(server.url, ready={"body_contains": "migrated", "timeout_s": RUNS_S}):
            pass
        with _external(server.url, ready={"body_contains": '"ok"', "timeout_s": 60}):
            pass


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"Test-Target": "yes"}, "status 200, but its header Test-Target is 'true', wanted 'yes'"),
        ({"X-Version": ""}, "status 200, but no header X-Version"),
    ],
)
def test_headers_must_be_there(headers: dict[str, str], message: str) -> None:
    """With what is wanted in them, whatever case their names have."""
    with serving() as server:
        refused = pytest.raises(TargetError, match=message)
        with refused, _external(server.url, ready={"headers": headers, "timeout_s": RUNS_S}):
            pass
        with _external(server.url, ready={"headers": {"TEST-target": "tru", "content-type": ""}, "timeout_s": 60}):
            pass


def test_an_open_port_is_enough_where_asked(start: Start) -> None:
    """Nothing is asked; a port that closes each connection at once is a proxy in front of nobody."""
    with start("--status", "500", ready={"tcp": True, "timeout_s": 60}) as running:
        assert running.health().alive
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        closing = threading.Thread(target=_hang_up, args=(proxy,), daemon=True)
        closing.start()
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        with (
            pytest.raises(TargetError, match="closed again at once"),
            _external(url, ready={"tcp": True, "timeout_s": 1.5}),
        ):
            pass
        proxy.shutdown(socket.SHUT_RDWR)
    closing.join(5)
    refused = pytest.raises(TargetError, match=rf"at {url}; last seen: connection refused")
    with refused, _external(url, ready={"tcp": True, "timeout_s": 1.5}):
        pass


def _hang_up(proxy: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            proxy.accept()[0].close()


def test_hanging_answers_are_bounded(start: Start) -> None:
    """A target that accepts and says nothing cannot hold up perfci."""
    began = time.monotonic()
    with (
        pytest.raises(TargetError, match="last seen: no answer within 2 s"),
        start("--hang", "90", ready={"timeout_s": ANSWERS_S}),
    ):
        pass
    assert time.monotonic() - began < 60


def test_redirect_to_another_host_is_refused(start: Start) -> None:
    """A redirect elsewhere is not followed, not even to another port of this machine."""
    with serving() as stranger:
        with pytest.raises(TargetError, match="redirects to another host"), start("--redirect", stranger.url):
            pass
        assert stranger.asked == []


def test_redirect_within_the_target_is_followed(start: Start) -> None:
    """A redirect to another path of the same service is followed."""
    with start("--redirect", "/docs") as running:
        assert running.health().alive


def test_ready_then_exits(start: Start) -> None:
    """A target that dies during the run is seen as dead, with its exit code."""
    with start("--say", "about to die", "--die-after", "4") as running:
        assert running.health().alive
        deadline = time.monotonic() + 60
        while running.health().alive and time.monotonic() < deadline:
            time.sleep(0.05)
        health = running.health()
    assert not health.alive
    assert "exited with code 7" in health.note
    assert "about to die" in health.note


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (signal.SIGKILL, "ended by signal 9 (Killed), which the system sends where memory runs out"),
        (signal.SIGSEGV, "ended by signal 11 (Segmentation fault)"),
    ],
)
def test_a_target_that_a_signal_ends_is_told_by_its_name(start: Start, number: int, said: str) -> None:
    """A number alone says nothing to most readers."""
    command = ["{python}", "-c", f"import os; os.kill(os.getpid(), {int(number)})", "{port}"]
    with pytest.raises(TargetError, match=re.escape(said)), start(command=command, ready={"timeout_s": 60}):
        pass


def test_who_needs_a_moment_to_stop_gets_it(start: Start) -> None:
    """Within its grace it ends itself, in order, and is not killed."""
    with start("--slow-stop", "0.3", stop_grace_s=60) as running:
        pass
    assert "exited with code 0" in running.health().note


def test_ignored_sigterm_ends_in_sigkill(start: Start) -> None:
    """A target that ignores SIGTERM is killed when its grace is over."""
    with start("--ignore-sigterm", stop_grace_s=0.5) as running:
        began = time.monotonic()
    assert time.monotonic() - began < 30
    assert _refuses(running.base_url)


def test_daemons_are_ended_with_the_target(start: Start) -> None:
    """A child that left the process group is found and ended, even when the target itself is dead already."""
    with start("--daemon", "--die-after", "4") as running:
        found = re.search(r"daemon (\d+)", running.logs_tail())
        assert found
        daemon = psutil.Process(int(found[1]))
        while running.health().alive:
            time.sleep(0.05)
        assert daemon.is_running()
    assert not daemon.is_running() or daemon.status() == psutil.STATUS_ZOMBIE


def test_fixed_port_that_is_taken(start: Start) -> None:
    """Where somebody else answers at the fixed address already, the target is not even started."""
    taken = pytest.raises(TargetError, match=r"port \d+ is taken")
    with serving() as stranger, taken as caught, start(url=stranger.url):
        pass
    assert "{port}" in caught.value.hint


def test_fixed_port_of_another_side(start: Start, tmp_path: Path) -> None:
    """Two that come up at the same time would both find the port free, and the second would measure the first."""
    url = f"http://127.0.0.1:{free_port()}"
    options = target.parse({"kind": "command", "command": TOY, "url": url}, where="test")
    first = target.starting(
        options,
        source=ROOT,
        workspace=tmp_path,
        state=tmp_path / "state",
        side=Side.BASE,
        label="first",
        environ=os.environ,
    )
    taken = pytest.raises(TargetError, match=r"port \d+ is taken")
    with first as ready:
        with taken, start(url=url):
            pass
        assert ready().base_url == url
    with start(url=url) as again:
        assert again.base_url == url


def test_lost_race_for_a_port_is_run_again(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken between choosing and binding costs one more start, not the run."""
    real, asked = target.command._port_for, []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: nobody answers there

        def port_for(options: target.command.Options) -> int:
            asked.append(1)
            return int(taken.getsockname()[1]) if len(asked) == 1 else real(options)

        monkeypatch.setattr(target.command, "_port_for", port_for)
        with start() as running:
            assert requests.get(running.base_url, timeout=30).ok
    assert len(asked) == 2


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Interrupted, ValueError])
def test_stopped_when_the_body_raises(start: Start, kind: type[BaseException], tmp_path: Path) -> None:
    """Whatever is raised inside the context, the target is stopped and the error goes on."""
    with pytest.raises(kind), start() as running:
        raise kind
    assert _refuses(running.base_url)
    assert _notes(tmp_path) == []


def test_stopped_when_interrupted_while_it_starts(start: Start, tmp_path: Path) -> None:
    """An interruption during the wait for readiness leaves nothing."""
    previous = signal.signal(signal.SIGALRM, _interrupt)
    interrupting = threading.Thread(target=_alarm_when_it_runs, args=(tmp_path,))
    interrupting.start()
    try:
        with pytest.raises(Interrupted), start("--say", "not ready yet", "--ready-after", "600"):
            pass
    finally:
        interrupting.join()
        signal.signal(signal.SIGALRM, previous)
    assert _notes(tmp_path) == []


def _alarm_when_it_runs(folder: Path) -> None:
    """Send SIGALRM to this process once the toy has written its first line, and is noted; in any case in the end."""
    log, deadline = folder / "logs" / "toy.log", time.monotonic() + 50
    while time.monotonic() < deadline and not (log.exists() and log.read_text() and _is_noted(folder)):
        time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGALRM)


def _is_noted(folder: Path) -> bool:
    """Whether the process that leads the target is noted, so that perfci holds it."""
    for note in _notes(folder):
        with contextlib.suppress(OSError):  # it is a folder, or was just replaced
            if '"leader":{' in note.read_text().replace(" ", ""):
                return True
    return False


def _interrupt(*_: object) -> None:
    raise Interrupted("stop")


def test_failed_build_shows_its_log(tmp_path: Path) -> None:
    """A build that fails names its exit code and shows what it said; one that works runs in the checkout."""

    def prepare(script: str) -> None:
        table = {"kind": "command", "command": ["x", "{port}"], "build": ["{python}", "-c", script]}
        target.prepare(
            target.parse(table, where="test"),
            source=tmp_path,
            workspace=tmp_path / "logs",
            state=tmp_path / "state",
            side=Side.BASE,
            label="toy",
            environ=os.environ,
        )

    with pytest.raises(TargetError, match="build command of base ended with 5") as caught:
        prepare("print('no compiler'); raise SystemExit(5)")
    assert "no compiler" in str(caught.value)
    prepare("open('built', 'w').close()")
    assert (tmp_path / "built").exists()


def test_sweep_ends_what_a_killed_perfci_left(tmp_path: Path) -> None:
    """After SIGKILL of its parent the target lives on; the next sweep ends it, and a second one finds nothing."""
    script = f"""
import os, signal, sys
from pathlib import Path
from perfci.model import Side
from perfci.rig import target
options = target.parse({{"kind": "command", "command": {[*TOY, "--daemon"]!r}}}, where="test")
home = Path({str(tmp_path)!r})
with target.start(options, source=Path({str(ROOT)!r}), workspace=home, state=home / "state", side=Side.BASE,
                  label="toy", environ=os.environ) as running:
    print(running.base_url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    url = killed.stdout.strip()
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert requests.get(url, timeout=30).ok, "the target should have outlived its parent"
    daemon = psutil.Process(int((tmp_path / "toy.log").read_text().split()[1]))

    ended = target.sweep(tmp_path / "state", environ=os.environ)

    processes, folder = sorted(ended, reverse=True)
    assert "2 processes" in processes
    assert "perfci-tree-" in folder
    assert _refuses(url)
    with contextlib.suppress(psutil.NoSuchProcess):
        assert daemon.status() == psutil.STATUS_ZOMBIE
    assert _notes(tmp_path) == []
    assert target.sweep(tmp_path / "state", environ=os.environ) == []


def test_sweep_leaves_what_still_has_an_owner(start: Start, tmp_path: Path) -> None:
    """A target whose perfci lives is not touched."""
    with start() as running:
        assert target.sweep(tmp_path / "state", environ=os.environ) == []
        assert running.health().alive


def test_external_target() -> None:
    """A service that runs already is checked and never stopped."""
    with serving() as server:
        with _external(server.url) as running:
            assert running.health().alive
            assert running.log_path is None
        assert requests.get(server.url, timeout=30).ok
    assert not running.health().alive


def test_external_target_below_a_path() -> None:
    """What is asked lies below the address, as it does for Locust."""
    with serving() as server, _external(f"{server.url}/shop/", ready={"path": "//elsewhere"}):
        assert server.asked == ["/shop//elsewhere"]


def test_external_target_that_is_not_there() -> None:
    """A service that does not answer is an error with its address."""
    with serving() as server:
        url = server.url
    with pytest.raises(TargetError, match=f"{url}.*refused"), _external(url, ready={"timeout_s": 0.5}):
        pass


def _external(url: str, **table: object) -> AbstractContextManager[target.RunningTarget]:
    options = target.parse({"kind": "external", "url": url, **table}, where="test")
    return target.start(
        options,
        source=ROOT,
        workspace=ROOT,
        state=ROOT,
        side=Side.CANDIDATE,
        label="x",
        environ={},
    )


def test_run_is_bounded_and_leaves_no_grandchild(tmp_path: Path) -> None:
    """A command that outstays its time is ended with its children."""
    began = time.monotonic()
    done = process.run(
        ["sh", "-c", "sleep 300 & echo started; wait"], cwd=tmp_path, environment=dict(os.environ), timeout_s=2
    )
    assert done.code is None
    assert done.out == "started\n"
    assert time.monotonic() - began < 60
