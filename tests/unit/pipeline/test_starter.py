"""What `perfci init` proposes and writes."""

import subprocess
from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.pipeline.ports import Ports
from perfci.pipeline.starter import Wishes, propose

APP = '@app.get("/items")\ndef items(): ...\n\n\napp = FastAPI()\n'
FILES_ALONE = Wishes(start=False)


@pytest.fixture
def repository(project: Path) -> Path:
    """A service that has never heard of perfci."""
    (project / "perfci.toml").unlink()
    (project / "main.py").write_text(APP)
    return project


@pytest.mark.usefixtures("repository")
def test_the_files_of_a_first_run(ports: Ports) -> None:
    """The configuration, the load, and the gate with what speaks for forks."""
    proposal = propose(ports, FILES_ALONE)
    assert set(proposal.files) == {
        "perfci.toml",
        "load_tests/web.py",
        ".github/workflows/performance.yml",
        ".github/workflows/performance-forks.yml",
    }
    assert 'self.client.get("/items")' in proposal.files["load_tests/web.py"]
    assert {guess.what for guess in proposal.guesses} >= {"service", "ready", "load"}
    assert all(guess.why for guess in proposal.guesses)


@pytest.mark.usefixtures("repository")
def test_minimal_is_the_configuration_and_its_load(ports: Ports) -> None:
    """Ten lines or so, and no workflow."""
    proposal = propose(ports, Wishes(start=False, minimal=True))
    assert set(proposal.files) == {"perfci.toml", "load_tests/web.py"}


def test_nothing_is_overwritten(repository: Path, ports: Ports) -> None:
    """What is there stays, to the byte; what is not there is written."""
    (repository / "perfci.toml").write_text("# mine\n")
    proposal = propose(ports, FILES_ALONE)
    proposal.write(ports.root)
    assert (repository / "perfci.toml").read_text() == "# mine\n"
    assert proposal.present == {"perfci.toml"}
    assert (repository / "load_tests/web.py").read_text() == proposal.files["load_tests/web.py"]
    again = propose(ports, FILES_ALONE)
    assert again.present == set(again.files)


def test_the_diff_can_be_applied(repository: Path, ports: Ports) -> None:
    """`git apply` makes of it what init would have written; the proposal alone writes nothing."""
    proposal = propose(ports, FILES_ALONE)
    assert not (repository / "perfci.toml").exists()
    subprocess.run(["git", "apply"], input=proposal.diff(ports.root), text=True, cwd=repository, check=True, timeout=30)
    assert {name: (repository / name).read_text() for name in proposal.files} == dict(proposal.files)


def test_a_locust_file_that_is_there_is_used(repository: Path, ports: Ports) -> None:
    """The profile has its name; no other load is written."""
    (repository / "perf").mkdir()
    (repository / "perf/Shop users.py").write_text("from locust import HttpUser\n\n\nclass A(HttpUser): ...\n")
    proposal = propose(ports, FILES_ALONE)
    assert proposal.profile == "shop-users:smoke"
    assert 'locustfile = "perf/Shop users.py"' in proposal.files["perfci.toml"]
    assert "load_tests/web.py" not in proposal.files


def test_what_cannot_be_guessed_is_an_error(project: Path, ports: Ports) -> None:
    """With what was looked for, and the way on."""
    with pytest.raises(ConfigError, match="nothing in project shows how its service is started") as caught:
        propose(ports, FILES_ALONE)
    assert "Dockerfile" in caught.value.hint
    with pytest.raises(ConfigError, match="as compose"):
        propose(ports, Wishes(start=False, kind="compose"))
    assert project.is_dir()


def test_a_service_that_does_not_start_is_told(repository: Path, ports: Ports) -> None:
    """The files are proposed all the same, and the reader knows that nothing of them is confirmed."""
    (repository / "main.py").unlink()
    (repository / "Procfile").write_text("web: exit 7\n")
    proposal = propose(ports, Wishes())
    assert any("exited with code 7" in each for each in proposal.todo)
    assert "perfci.toml" in proposal.files
