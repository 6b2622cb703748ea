"""Which variables of a job a child is given, and what is said of those that it is not."""

from pathlib import Path

import pytest

from perfci.errors import ConfigError
from perfci.model import Weight
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.rig.host.environment import JobEnvironment, child_environment
from tests.unit.pipeline.conftest import CONFIG, Commit, Understand, run_git, with_environ

pytestmark = pytest.mark.kind("C")

ENVIRON = {"API_KEY": "k", "DB_PASSWORD": "p", "TENANT": "t", "NPM_TOKEN": "n", "PORT": "80", "GITHUB_ENV": "/f"}


def test_a_secret_goes_to_whom_it_is_given_alone() -> None:
    """Also one whose name does not look like a secret; the runner's files go to nobody."""
    job = JobEnvironment(ENVIRON, passed=["NPM_*", "GITHUB_*"], blocked=["PORT"], secrets=["API_KEY", "TENANT"])
    assert child_environment(job) == {"NPM_TOKEN": "n"}
    assert child_environment(job.giving(["TENANT"])) == {"NPM_TOKEN": "n", "TENANT": "t"}
    assert child_environment(job.giving(["API_KEY"]).without(lambda name: name == "NPM_TOKEN")) == {"API_KEY": "k"}
    assert sorted(job.hidden()) == ["k", "n", "t"]


def test_a_secret_that_only_switches_something_hides_no_text() -> None:
    """Each "true" of a report would be gone."""
    assert JobEnvironment({"A": "true", "B": "x"}, secrets=["A", "B"]).hidden() == ["x"]


@pytest.mark.parametrize("name", ["PERFCI_TOKEN", "ACTIONS_RUNTIME_TOKEN", "INPUT_KEY", "GITHUB_ENV", "A-B"])
def test_what_belongs_to_others_is_no_secret_of_the_job(
    understood: Understand, ports: Ports, project: Path, name: str
) -> None:
    """The runner's own tokens are given to nobody."""
    (project / "perfci.toml").write_text(f'secrets = {{ load = ["{name}"] }}\n' + CONFIG)
    with pytest.raises(ConfigError, match=r"secrets\.load\.0"):
        understood(Request(profile="tickets"), ports)


def test_a_secret_that_is_not_set_is_named(understood: Understand, ports: Ports, project: Path) -> None:
    """With the line of a workflow that sets it; on a pull request from a fork it is empty."""
    (project / "perfci.toml").write_text('secrets = { target = ["A_KEY"], load = ["B_KEY"] }\n' + CONFIG)
    with pytest.raises(ConfigError, match="the secret A_KEY is not set") as caught:
        understood(Request(profile="tickets"), with_environ(ports, A_KEY="", B_KEY="x"))
    assert "A_KEY: ${{ secrets.A_KEY }}" in caught.value.hint


def test_the_base_says_who_is_given_what(understood: Understand, ports: Ports, commit: Commit) -> None:
    """A change can neither give itself a secret of the job, nor have one passed on."""
    base = commit('secrets = { load = ["OLD_API_KEY"] }\nblock_env = ["X_*"]\n' + CONFIG)
    commit('secrets = { load = ["OLD_API_KEY", "NEW_API_KEY"] }\npass_env = ["*"]\n' + CONFIG)
    environ = {"OLD_API_KEY": "o", "NEW_API_KEY": "n", "X_1": "x", "Y_TOKEN": "y"}
    task = understood(Request(profile="tickets", base=base), with_environ(ports, **environ))
    given = child_environment(task.environ.giving(task.config.secrets.load))
    assert {name: given[name] for name in environ if name in given} == {"OLD_API_KEY": "o"}
    (finding,) = task.notes
    assert "this change edits secrets.load, pass_env, block_env: the base decides" in finding.message


def test_a_variable_that_a_file_refers_to_and_does_not_get_is_named(
    understood: Understand, ports: Ports, project: Path
) -> None:
    """In the Locust file, in a module that it imports, and in a file of the service's command."""
    (project / "tickets.py").write_text("import helper\n")
    (project / "helper.py").write_text('import os\nKEY = os.environ["API_KEY"]\nOTHER = os.environ["GIVEN_KEY"]\n')
    (project / "serve.py").write_text('password = os.environ["DB_PASSWORD"]\n')
    config = CONFIG.replace('"-m", "service"', '"serve.py"')
    (project / "perfci.toml").write_text('secrets = { load = ["GIVEN_KEY"] }\n' + config)
    environ = {"API_KEY": "k", "DB_PASSWORD": "p", "GIVEN_KEY": "g", "UNUSED_TOKEN": "u"}
    notes = understood(Request(profile="tickets"), with_environ(ports, **environ)).notes
    assert {(note.code, note.weight) for note in notes} == {("variable-withheld", Weight.NOTICE)}
    assert [note.message.partition(",")[0] for note in notes] == [
        "helper.py refers to API_KEY",
        "serve.py refers to DB_PASSWORD",
    ]
    assert 'secrets = { load = ["API_KEY"] }' in notes[0].hint
    assert 'secrets = { target = ["DB_PASSWORD"] }' in notes[1].hint


@pytest.mark.parametrize("link", ["/etc/hostname", "../../outside.toml"])
def test_a_linked_configuration_of_the_base_is_not_read(
    understood: Understand, ports: Ports, project: Path, commit: Commit, link: str
) -> None:
    """It could be any file of the machine, and one that the change has written."""
    (project / "perfci.toml").unlink()
    (project / "perfci.toml").symlink_to(link)
    run_git(project, "commit", "-q", "-a", "-m", "link")
    base = run_git(project, "rev-parse", "HEAD")
    (project / "perfci.toml").unlink()
    commit(CONFIG)
    task = understood(Request(profile="tickets", base=base), ports)
    assert "is a link to" in str(task.unavailable)
