"""Compose targets with a real engine: isolation, every fault, and nothing left behind."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import requests

from perfci import store
from perfci.errors import ConfigError, Interrupted, TargetError
from perfci.model import Side, Verdict
from perfci.rig import target
from tests.fakes import toy
from tests.fakes.shell import shell_in
from tests.faults import fault
from tests.faults.scenes import COMPOSE, Scene, play

ROOT = Path(__file__).parents[2]
IMAGE = "python:3.11-slim-bookworm"
PROJECTS = f"perfci-e2e{os.getpid()}-"  # others may use the same engine

pytestmark = [pytest.mark.e2e, pytest.mark.kind("M")]

Start = Callable[..., AbstractContextManager[target.RunningTarget]]


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    """Skips without Docker, unless PERFCI_REQUIRE_E2E=1 demands it."""
    problem = _missing()
    if problem and os.environ.get("PERFCI_REQUIRE_E2E") == "1":
        pytest.fail(f"PERFCI_REQUIRE_E2E=1, but {problem}")
    if problem:
        pytest.skip(problem)


def _missing() -> str:
    for command in (["info"], ["compose", "version"], ["image", "inspect", IMAGE]):
        try:
            subprocess.run(["docker", *command], check=True, capture_output=True, timeout=30)
        except (OSError, subprocess.SubprocessError) as error:
            return f"`docker {' '.join(command)}` fails: {error}"
    return ""


@pytest.fixture(autouse=True)
def _nothing_left(_engine: None) -> Iterator[None]:
    """No container, network or volume of ours may outlive a test."""
    yield
    assert _things() == set()


def _things() -> set[str]:
    listings = (["ps", "-a"], ["network", "ls"], ["volume", "ls"])
    rows = [
        row
        for listing in listings
        for row in _docker(*listing, "--format", "{{json .}}").splitlines()
        if PROJECTS in row
    ]
    return set(rows)


def _docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """A project with a service that is built and everything that makes two copies clash."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / "toy.py").write_text(Path(toy.__file__).read_text().replace('"127.0.0.1"', '"0.0.0.0"'))
    (folder / "Dockerfile").write_text(f"FROM {IMAGE}\nCOPY toy.py /toy.py\n")
    _write(folder, {})
    yield folder
    built = [
        prefix
        for note in (tmp_path / "state").glob("*.json")
        if (prefix := json.loads(note.read_text()).get("images"))  # others may use the same engine
    ]
    target.release(tmp_path / "state", environ=os.environ)
    for prefix in built:
        assert not _docker("image", "ls", "-q", "--filter", f"reference={prefix}-*").split()


def _write(folder: Path, changes: dict[str, object], **more: object) -> None:
    web = {
        "build": ".",
        "image": "same-name-on-both-sides",
        "container_name": "fixed-name",
        "init": True,
        "ports": ["18080:8000"],
        "environment": {"PRICE": "5 $$", "TOLD": "${TOLD:-nothing}"},
        "command": ["python", "/toy.py", "--port", "8000"],
        "volumes": ["data:/data"],
        **changes,
    }
    project = {
        "name": "fixed",
        "services": {"web": web, **more},
        "volumes": {"data": {"name": "fixed-volume"}},
        "networks": {"default": {"name": "fixed-network"}},
    }
    (folder / "compose.yaml").write_text(json.dumps(project))


@pytest.fixture
def start(tmp_path: Path, checkout: Path) -> Start:
    """Prepare and start the project in *checkout*."""

    def starter(
        label: str = "only",
        side: Side = Side.CANDIDATE,
        *,
        prepared: bool = False,
        data: Path | None = None,
        **table: object,
    ) -> AbstractContextManager[target.RunningTarget]:
        options = target.parse(
            {"kind": "compose", "service": "web", "port": 8000, "wait_timeout_s": 20, "stop_grace_s": 1, **table},
            where="test",
        )
        where = {
            "source": checkout,
            "workspace": tmp_path / "logs",
            "state": tmp_path / "state",
            "side": side,
            "label": f"e2e{os.getpid()}-{label}",
            "environ": {**os.environ, "COMPOSE_PROJECT_NAME": "stranger", "COMPOSE_FILE": "/nowhere.yaml"},
            "extra_env": {"EXTRA": "a$b"},
            "side_by_side": True,
        }
        if not prepared:
            target.prepare(options, **where)  # type: ignore[arg-type]
        return target.start(options, **where, data=data)

    return starter


def _inspect(label: str) -> dict[str, object]:
    ids = _docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECTS}{label}").split()
    found: dict[str, object] = json.loads(_docker("inspect", ids[0]))[0]
    return found


def test_must_28_two_sides_of_a_project_with_fixed_names_and_ports(start: Start, tmp_path: Path) -> None:
    """Both sides run at once although the file fixes port, names, image, network and volume."""
    with start("base-1", Side.BASE) as base, start("candidate-1", Side.CANDIDATE, env={"TOLD": "yes"}) as candidate:
        assert base.base_url != candidate.base_url
        for running in (base, candidate):
            assert requests.get(running.base_url, timeout=5).json() == {"status": "ok"}
            assert running.health().alive
            assert running.health().restarts == 0
            assert running.description.startswith("web=sha256:")
        images = {_inspect(label)["Config"]["Image"] for label in ("base-1", "candidate-1")}  # type: ignore[index]
        assert sorted(re.sub("-[0-9a-f]{8}-", "-", image) for image in images) == [
            "perfci-base-web",
            "perfci-candidate-web",
        ]
        assert len(_things()) == 6  # a container, a network and a volume each
        environment = _inspect("candidate-1")["Config"]["Env"]  # type: ignore[index]
        assert {"PRICE=5 $", "TOLD=yes", "EXTRA=a$b"} <= set(environment)
    assert {path.read_text().count("perfci-") for path in (tmp_path / "state").glob("*")} == {1}  # images alone
    assert candidate.log_path is not None
    assert candidate.log_path.exists()


def _ask(label: str, service: str, script: str) -> str:
    """What a line of Python says inside a service's container."""
    by = [
        f"label=com.docker.compose.{key}={value}"
        for key, value in (("project", PROJECTS + label), ("service", service))
    ]
    (container,) = _docker("ps", "-q", "--filter", by[0], "--filter", by[1]).split()
    return _docker("exec", container, "python", "-c", script).strip()


@pytest.fixture
def external_network() -> Iterator[str]:
    """A network that the project did not make, and that nobody is on."""
    name = f"perfci-e2e-theirs-{os.getpid()}"
    _docker("network", "create", name)
    yield name
    _docker("network", "rm", name)


def test_names_and_data_of_two_copies_stay_apart(start: Start, checkout: Path, external_network: str) -> None:
    """
    In each copy container names lead to its own services, on fixed subnets and external networks as well, and data
    folders are empty at each start.
    """
    subnet = {"ipam": {"config": [{"subnet": "172.31.77.0/24"}]}}
    idle = {"image": IMAGE, "init": True, "command": ["sleep", "infinity"]}
    store = {
        **idle,
        "container_name": "shop-store",
        "networks": {"back": {"ipv4_address": "172.31.77.3"}, "theirs": None},
        "volumes": ["./data:/data"],
    }
    _write(checkout, {"networks": ["back", "theirs"], "container_name": "shop-web"}, store=store)
    project = json.loads((checkout / "compose.yaml").read_text())
    project["networks"] = {"back": subnet, "theirs": {"external": True, "name": external_network}}
    (checkout / "compose.yaml").write_text(json.dumps(project))
    find = "import socket; print(*sorted({found[4][0] for found in socket.getaddrinfo('%s', 0)}))"
    own = "import socket; print(*sorted({found[4][0] for found in socket.getaddrinfo(socket.gethostname(), 0)}))"
    write = "import os; print(os.listdir('/data')); open('/data/row', 'w').close()"
    with start("base-1", Side.BASE), start("candidate-1"):
        for label in ("base-1", "candidate-1"):
            addresses = set(_ask(label, "store", own).split())
            for name in ("shop-store", "store"):
                assert set(_ask(label, "web", find % name).split()) <= addresses
            assert _ask(label, "store", write) == "[]"
    with start("candidate-2", prepared=True):
        assert _ask("candidate-2", "store", write) == "[]"
    assert not (checkout / "data").exists()


def test_what_a_start_has_saved_is_there_in_the_next_one(start: Start, tmp_path: Path) -> None:
    """The content of a volume, its owners and modes; the start that saved it has stopped for that."""
    with start("first") as first:
        assert first.save is not None
        container = first.containers[0].id
        _docker("exec", container, "sh", "-c", "umask 077; echo 40 rows > /data/rows; chown 999:998 /data/rows /data")
        first.save(tmp_path / "saved")
        assert not first.health().alive
    with start("later", prepared=True, data=tmp_path / "saved") as later:
        said = _docker(
            "exec", later.containers[0].id, "sh", "-c", "cat /data/rows; stat -c '%u:%g %a' /data/rows /data"
        )
    assert said.split() == ["40", "rows", "999:998", "600", "999:998", "755"]


def test_what_is_kept_in_memory_is_not_saved(start: Start, checkout: Path) -> None:
    """It would be gone with the stop that a copy needs."""
    _write(checkout, {"volumes": [], "tmpfs": "/data"})
    with start() as running:
        assert running.save is None


def test_a_project_of_many_files(start: Start, checkout: Path) -> None:
    """Several files, a profile, `include`, `extends`, secrets and configs are those of the side's own tree."""
    (checkout / "common.yaml").write_text(json.dumps({"services": {"common": {"environment": {"FROM": "common"}}}}))
    (checkout / "more").mkdir()
    (checkout / "more/compose.yaml").write_text(
        json.dumps({"services": {"job": {"image": IMAGE, "command": ["sleep", "9"], "volumes": ["./f:/f"]}}})
    )
    (checkout / "more/f").write_text("included")
    (checkout / "token").write_text("of the tree")
    _write(checkout, {"extends": {"file": "common.yaml", "service": "common"}, "profiles": ["app"]})
    extra = {
        "include": ["more/compose.yaml"],
        "services": {"web": {"secrets": ["token", "given"], "configs": ["note"], "environment": {"MORE": "yes"}}},
        "secrets": {"token": {"file": "./token"}, "given": {"environment": "GIVEN"}},
        "configs": {"note": {"content": "costs 5 $$"}},
    }
    (checkout / "perf.yaml").write_text(json.dumps(extra))
    table = {"files": ["compose.yaml", "perf.yaml"], "env": {"GIVEN": "by env"}}
    with pytest.raises(ConfigError, match="compose profile 'app'"), start(**table):
        pass
    with start(profiles=["app"], **table):
        said = _ask(
            "only",
            "web",
            "import os; print([open(p).read() for p in ('/run/secrets/token', '/run/secrets/given', '/note')],"
            " os.environ['FROM'], os.environ['MORE'])",
        )
        assert said == "['of the tree', 'by env', 'costs 5 $'] common yes"
        assert _ask("only", "job", "print(open('/f').read())") == "included"


def test_images_that_are_built_from_one_another(start: Start, checkout: Path, tmp_path: Path) -> None:
    """Each copy's are built from its own, nothing gets the name in the file, and none is left after the run."""
    name = f"e2e-lib-{os.getpid()}"
    (checkout / "lib").mkdir()
    (checkout / "lib/Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo of this tree > /lib.txt\n")
    (checkout / "Dockerfile").write_text(
        f"FROM {name}\nARG WHO=nobody\nRUN echo $WHO >> /lib.txt\nCOPY toy.py /toy.py\n"
    )
    lib = {"build": "lib", "image": name, "init": True, "command": ["sleep", "infinity"]}
    _write(checkout, {}, lib=lib, user={"image": name, "init": True, "command": ["sleep", "infinity"]})
    with start():
        assert _ask("only", "web", "print(open('/lib.txt').read().split())") == "['of', 'this', 'tree', 'nobody']"
        assert _ask("only", "user", "print(open('/lib.txt').read().split())") == "['of', 'this', 'tree']"
    (note,) = (tmp_path / "state").iterdir()
    prefix = json.loads(note.read_text())["images"]
    listing = ("image", "ls", "-q", "--filter", f"reference={prefix}-*")
    assert len(_docker(*listing).split()) == 2
    target.release(tmp_path / "state", environ=os.environ)
    assert _docker(*listing) == ""
    assert _docker("image", "ls", "-q", "--filter", f"reference={name}") == ""
    assert list((tmp_path / "state").iterdir()) == []


def test_failing_health_check(start: Start, checkout: Path) -> None:
    """A service that never becomes healthy is named, with what its check said, in bounded time."""
    check = {"test": ["CMD-SHELL", "echo no database; exit 1"], "interval": "1s", "retries": 2}
    _write(checkout, {"healthcheck": check})
    began = time.monotonic()
    with pytest.raises(TargetError, match=r"'web' never became healthy.*no database"), start(wait_timeout_s=10):
        pass
    assert time.monotonic() - began < 60


def test_a_health_check_that_is_switched_off(start: Start, checkout: Path) -> None:
    """Such a service has only to run, and the others are waited for as ever."""
    check = {"test": ["CMD-SHELL", "test -e /ready || ! touch /ready"], "interval": "1s", "retries": 9}
    other = {"image": IMAGE, "command": ["sleep", "600"], "healthcheck": check}
    _write(checkout, {"healthcheck": {"disable": True}}, other=other)
    with start() as running:
        assert running.health().alive


def test_must_24_one_shot_service(start: Start, checkout: Path) -> None:
    """A service that exits 0 is named, with the way to declare it."""
    once = {"image": IMAGE, "command": ["true"]}
    _write(checkout, {}, setup=once)
    with pytest.raises(TargetError, match=r"'setup' did its work and ended") as caught, start():
        pass
    assert "service_completed_successfully" in caught.value.hint


def test_declared_one_shot_service(start: Start, checkout: Path) -> None:
    """A one-shot service that another one waits for is normal, and its end is no death."""
    once = {"image": IMAGE, "command": ["true"]}
    _write(checkout, {"depends_on": {"setup": {"condition": "service_completed_successfully"}}}, setup=once)
    with start() as running:
        assert running.health().alive


def test_service_that_exits(start: Start, checkout: Path, tmp_path: Path) -> None:
    """A service that fails at its start is named with its exit code and log, and the log is kept."""
    _write(checkout, {"command": ["sh", "-c", "echo no configuration; exit 3"]})
    with pytest.raises(TargetError, match=r"'web' ended with exit code 3(.|\n)*no configuration"), start():
        pass
    assert "no configuration" in (tmp_path / "logs" / f"e2e{os.getpid()}-only-web.log").read_text()


@fault(
    "target",
    "image build fails",
    seen="the images could not be built…no compiler here",
    then="run it in a checkout of candidate",
    exit=3,
    verdict=Verdict.INVALID,
)
def test_build_that_fails(start: Start, checkout: Path) -> None:
    """A build that fails shows its last lines."""
    (checkout / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo no compiler here && exit 9\n")
    with pytest.raises(TargetError, match=r"images could not be built(.|\n)*no compiler here"):
        start()


def test_image_that_does_not_exist(start: Start, checkout: Path) -> None:
    """An image that is nowhere is named by its service before anything starts."""
    _write(checkout, {}, db={"image": "127.0.0.1:9/no/such:image"})
    with pytest.raises(TargetError, match="could not be pulled, for db"):
        start()


@fault(
    "target",
    "compose file invalid",
    seen="compose.yaml of candidate cannot be used: …imagine…",
    then="`docker compose config` in the same checkout says more",
    exit=3,
    verdict=Verdict.INVALID,
)
def test_invalid_file(start: Start, checkout: Path) -> None:
    """Compose's own complaint is passed on."""
    (checkout / "compose.yaml").write_text("services: {web: {imagine: x}}")
    with pytest.raises(TargetError, match=r"compose\.yaml of candidate cannot be used: .*imagine"):
        start()


def test_no_file(start: Start, checkout: Path) -> None:
    """A checkout without a compose file is told apart from an invalid one; folders above it are not searched."""
    (checkout / "compose.yaml").rename(checkout.parent / "compose.yaml")
    with pytest.raises(TargetError, match=r"no compose file in .*looked for compose\.yaml"):
        start()


def test_wrong_port(start: Start) -> None:
    """A port at which nothing listens never gets ready, and the last answer is shown."""
    with (
        pytest.raises(TargetError, match=r"not ready within 2 s.*connection refused"),
        start(port=8001, ready={"timeout_s": 2}),
    ):
        pass


def test_death_during_the_run(start: Start, checkout: Path) -> None:
    """A container that dies is seen, with exit code and log."""
    _write(checkout, {"command": ["python", "/toy.py", "--port", "8000", "--say", "bye", "--die-after", "6"]})
    with start() as running:
        deadline = time.monotonic() + 30
        while running.health().alive and time.monotonic() < deadline:
            time.sleep(0.2)
        health = running.health()
    assert not health.alive
    assert "'web' ended with exit code 7" in health.note
    assert "bye" in health.note


def test_restarts_during_the_run(start: Start, checkout: Path) -> None:
    """A container that the engine restarts is counted."""
    command = ["python", "/toy.py", "--port", "8000", "--die-after", "5"]
    _write(checkout, {"command": command, "restart": "always"})
    with start() as running:
        deadline = time.monotonic() + 30
        while not running.health().restarts and time.monotonic() < deadline:
            time.sleep(0.2)
        assert running.health().restarts >= 1


@fault(
    "target",
    "restarts during load",
    seen="The candidate died or restarted while measured",
    then="Remove the cause named in the findings and measure again; these numbers prove nothing.",
    exit=3,
    verdict=Verdict.INVALID,
    case="and nothing to compare with",
)
def test_a_run_whose_target_restarts(checkout: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A whole run under load, on a service that dies after sixty requests and is started again by the engine."""
    command = ["python", "/toy.py", "--port", "8000", "--die-at", "60"]
    _write(checkout, {"command": command, "restart": "always"})
    files = {path.name: path.read_text() for path in checkout.iterdir()}
    played = play(Scene(kind=COMPOSE, more=files), tmp_path)
    played.check(request.node.get_closest_marker("fault").args[0])


def test_engine_that_does_not_answer(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an engine the message is about the engine."""
    with monkeypatch.context() as changed:
        changed.setenv("DOCKER_HOST", "unix:///nowhere.sock")
        with pytest.raises(TargetError, match="Docker engine does not answer"):
            start()


def test_must_24_no_docker_at_all(start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the command the message says so."""
    with monkeypatch.context() as changed:
        changed.setenv("PATH", str(tmp_path))
        with pytest.raises(TargetError, match="docker was not found on PATH"):
            start()


def test_must_17_interrupted_with_two_stacks_up(start: Start, checkout: Path) -> None:
    """Two stacks whose services ignore SIGTERM are gone within seven seconds of an interruption."""
    _write(checkout, {"command": ["python", "/toy.py", "--port", "8000", "--ignore-sigterm"]})
    stack = ExitStack()
    for label in ("one", "two"):
        stack.enter_context(start(label, stop_grace_s=30))
    began = time.monotonic()
    with pytest.raises(Interrupted), stack:
        raise Interrupted("stop")
    assert time.monotonic() - began < 7


def test_must_17_interrupted_while_a_block_stops_and_the_next_one_starts(checkout: Path, tmp_path: Path) -> None:
    """Services ignore SIGTERM, with half a minute of grace; the next block is up beside them. All is gone at once."""
    _write(checkout, {"command": ["python", "/toy.py", "--port", "8000", "--ignore-sigterm"]})
    files = {path.name: path.read_text() for path in checkout.iterdir()}
    scene = Scene(kind=COMPOSE.replace("stop_grace_s = 1", "stop_grace_s = 30"), more=files)
    with shell_in(tmp_path / "project", scene.files(), state=tmp_path / "state") as shell:
        arguments = ("--base", ".", "--census", "off", "--output", str(tmp_path / "out"))
        with shell.start("run", "toy", *arguments) as running:
            try:
                _await_containers(running, tmp_path / "out", blocks={"1", "2"})
                running.send_signal(signal.SIGINT)
                _, err = running.communicate(timeout=12)
            finally:
                running.kill()
    assert running.returncode == 130, err
    assert "Traceback" not in err
    assert _blocks_up(store.load(tmp_path / "out").id) == set()
    assert list((tmp_path / "state" / "perfci").iterdir()) == []


def _await_containers(running: "subprocess.Popen[str]", folder: Path, *, blocks: set[str]) -> None:
    deadline = time.monotonic() + 120
    while not ((folder / "run.json").exists() and _blocks_up(store.load(folder).id) == blocks):
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _blocks_up(run_id: str) -> set[str]:
    """The blocks of a run of which the engine has a container, a network or a volume."""
    listed = [_docker(*what, "--format", "{{json .}}") for what in (["ps", "-a"], ["network", "ls"], ["volume", "ls"])]
    return set(re.findall(rf"project=perfci-{run_id}-(?:base|candidate)-(\w+)", "".join(listed)))


def test_failure_of_one_side_keeps_the_logs_of_both(start: Start, checkout: Path, tmp_path: Path) -> None:
    """An error while both stacks are up leaves the log of each in its file."""
    _write(checkout, {"command": ["python", "/toy.py", "--port", "8000", "--say", "served"]})
    with pytest.raises(ValueError, match="seeding failed"), start("one"), start("two"):
        raise ValueError("seeding failed")
    for label in ("one", "two"):
        assert "served" in (tmp_path / "logs" / f"e2e{os.getpid()}-{label}-web.log").read_text()


def test_interrupted_while_it_starts(start: Start, checkout: Path) -> None:
    """An interruption in the middle of `up` leaves nothing."""
    _write(checkout, {"healthcheck": {"test": ["CMD", "false"], "interval": "1s", "retries": 100}})
    starting = start()
    timer = threading.Timer(3.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), starting:
        pass
    timer.join()
    assert time.monotonic() - began < 3 + 7


def test_must_28_sweep_removes_what_a_killed_perfci_left(checkout: Path, tmp_path: Path) -> None:
    """After SIGKILL of its parent the stack lives on; the next sweep removes it, and a second one finds nothing."""
    script = f"""
import os, signal
from pathlib import Path
from perfci.model import Side
from perfci.rig import target
home = Path({str(tmp_path)!r})
options = target.parse({{"kind": "compose", "service": "web", "port": 8000}}, where="test")
where = dict(source=Path({str(checkout)!r}), workspace=home, state=home / "state", side=Side.BASE,
             label="e2e{os.getpid()}-left", environ=os.environ)
target.prepare(options, **where)
with target.start(options, **where) as running:
    print(running.base_url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert requests.get(killed.stdout.strip(), timeout=5).ok

    ended = target.sweep(tmp_path / "state", environ=os.environ)

    assert ended[0] == f"stopped compose project {PROJECTS}left (3 containers, networks and volumes)"
    assert re.fullmatch(r"removed images perfci-base-[0-9a-f]{8}-\* \(1\)", ended[1])
    assert target.sweep(tmp_path / "state", environ=os.environ) == []
