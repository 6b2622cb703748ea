"""A request is understood, or refused, before anything is started."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from perfci.config import Against, FailOn
from perfci.errors import ConfigError, RefError
from perfci.judge.budgets import by_metric
from perfci.model import Reference, RoundKind, Severity, Side, Weight
from perfci.pipeline.plan import Overrides
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.pipeline.understand import Task
from perfci.rig.target.command import Options
from tests.unit.pipeline.conftest import CONFIG, Understand, run_git

STRICT = CONFIG + "[gate.budget.ref.duet.service_time]\nchange = 0.05\n"
LAX = CONFIG + "[gate.budget.ref.duet.service_time]\nchange = 9.0\n"
Commit = Callable[[str], str]


def _change(task: Task) -> float:
    return by_metric(task.policy.budgets, Reference.REF, RoundKind.DUET)["service_time"].change


def _codes(task: Task) -> list[str]:
    return [note.code for note in task.notes]


@pytest.mark.parametrize("against", [Against.REF, Against.BASELINE, Against.AUTO])
def test_the_policy_of_the_base_counts(understood: Understand, ports: Ports, commit: Commit, against: Against) -> None:
    """A pull request cannot pardon itself; that it tries is said, and does not count against it."""
    base = commit(STRICT)
    commit(LAX)
    task = understood(Request(profile="tickets", base=base, against=against), ports)
    assert _change(task) == 0.05
    assert _codes(task) == ["policy-changed"]
    assert task.notes[0].weight is Weight.NOTICE


def test_neither_does_a_change_that_is_not_committed(
    understood: Understand, ports: Ports, project: Path, commit: Commit
) -> None:
    """On a laptop, too, the base's policy is that of its commit."""
    base = commit(STRICT)
    (project / "perfci.toml").write_text(LAX)
    assert _change(understood(Request(profile="tickets", base=base), ports)) == 0.05


def test_which_verdicts_fail_is_the_bases_too(understood: Understand, ports: Ports, commit: Commit) -> None:
    """`fail_on = "never"` in a pull request fails that pull request as before."""
    base = commit('fail_on = "inconclusive"\n' + CONFIG)
    commit('fail_on = "never"\n' + CONFIG)
    task = understood(Request(profile="tickets", base=base), ports)
    assert task.fail_on is FailOn.INCONCLUSIVE
    assert _codes(task) == ["policy-changed"]
    given = understood(Request(profile="tickets", base=base, fail_on=FailOn.NEVER), ports)
    assert given.fail_on is FailOn.NEVER


ALERT = '[[monitor.alert]]\nname = "busy"\ngauge = "api/cpu"\nabove = 0.8\nseverity = "fail"\n'


def test_alerts_are_the_bases_too(understood: Understand, ports: Ports, commit: Commit) -> None:
    """A pull request can neither take out the limit that it breaks, nor have other things watched."""
    base = commit(CONFIG + ALERT)
    commit(CONFIG + '[monitor.gauges.pool]\nurl = "/pool"\npointer = "/used"\n')
    task = understood(Request(profile="tickets", base=base), ports)
    (alert,) = task.policy.alerts
    assert (alert.limit, alert.upper, alert.seconds, alert.severity) == (0.8, True, 5.0, Severity.FAIL)
    assert list(task.config.monitor.gauges) == []
    assert _codes(task) == ["policy-changed"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('[monitor.gauges.queue]\nurl = "http://other.example/x"\npointer = "/a"', "other.example is not this machine"),
        (ALERT + "below = 3", "above or below"),
        (ALERT.replace("above = 0.8\n", ""), "above or below"),
        (ALERT + 'profile = "shop"', r"\[monitor\] names unknown profiles: shop"),
    ],
)
def test_a_monitor_that_cannot_be_is_refused_before_anything_starts(
    understood: Understand, ports: Ports, project: Path, table: str, message: str
) -> None:
    """A stranger's host, or an alert without one limit."""
    (project / "perfci.toml").write_text(CONFIG + table)
    with pytest.raises(ConfigError, match=message):
        understood(Request(profile="tickets"), ports)


def test_another_target_is_no_change_of_the_policy(understood: Understand, ports: Ports, commit: Commit) -> None:
    """Each side starts its own; the order of lines and comments say nothing."""
    base = commit(STRICT)
    commit(STRICT.replace("--port", "--listen").replace("[gate", "# comment\n[gate"))
    task = understood(Request(profile="tickets", base=base), ports)
    assert _codes(task) == []
    commands = [source.target.command for source in task.sources.values() if isinstance(source.target, Options)]
    assert sorted("--listen" in command for command in commands) == [False, True]


@pytest.mark.parametrize("base", ["", "."])
def test_without_a_base_commit_the_policy_is_ones_own(
    understood: Understand, ports: Ports, commit: Commit, base: str
) -> None:
    """There is no other."""
    commit(STRICT)
    commit(LAX)
    task = understood(Request(profile="tickets", base=base), ports)
    assert _change(task) == 9.0
    assert _codes(task) == []


def test_a_base_from_before_perfci_has_no_policy(
    understood: Understand, ports: Ports, project: Path, commit: Commit
) -> None:
    """The pull request that introduces perfci brings the first one, and that is said before anything else."""
    other = project / "other.toml"
    other.write_text(LAX)
    task = understood(Request(profile="tickets", base="main", config_file="other.toml"), ports)
    assert _change(task) == 9.0
    assert _codes(task) == ["policy-new"]
    assert task.notes[0].weight is Weight.NOTICE
    assert set(task.sources) == {Side.BASE, Side.CANDIDATE}


def test_a_base_whose_policy_cannot_be_read_cannot_be_compared_with(
    understood: Understand, ports: Ports, commit: Commit
) -> None:
    """The change's own policy never takes its place."""
    base = commit(STRICT.replace("[gate", "[gates"))
    commit(LAX)
    task = understood(Request(profile="tickets", base=base), ports)
    assert task.unavailable is not None
    assert "the base cannot be used" in str(task.unavailable)
    assert "gates" in str(task.unavailable)
    assert task.unavailable.hint.endswith(
        "the change that mends it cannot be compared either: merge it without the gate"
    )


def test_an_external_target_is_never_compared_with_itself(understood: Understand, ports: Ports, project: Path) -> None:
    """It is the same service for every commit, and would always pass."""
    target = CONFIG.replace('kind = "command"', 'kind = "external"\nurl = "http://127.0.0.1:8000"')
    (project / "perfci.toml").write_text(re.sub(r"\ncommand = .*", "", target))
    assert understood(Request(profile="tickets", base="main"), ports).reference is Reference.BASELINE
    for request in (Request(profile="tickets", base="."), Request(profile="tickets", against=Against.REF)):
        with pytest.raises(ConfigError, match="an external target cannot be started at another commit"):
            understood(request, ports)


@pytest.mark.parametrize("against", [None, Against.AUTO, Against.REF, Against.BASELINE])
def test_a_mistyped_base_is_a_usage_error(understood: Understand, ports: Ports, against: Against | None) -> None:
    """It is never a silent comparison with the stored runs."""
    with pytest.raises(RefError, match="no commit 'gone'"):
        understood(Request(profile="tickets", base="gone", against=against), ports)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (CONFIG.replace("{port}", "{prt}").replace('kind = "command"', 'kind = "docker"'), r"\[target\].*\n.*kind: "),
        (CONFIG + '[seed]\nkind = "sql"\n', r"\[seed\].*\n.*kind: "),
        (CONFIG + "[gate.budget.ref.load.p94]\nchange = 1\n", "unknown metrics: p94"),
        ('baselines = "../elsewhere"\n' + CONFIG, "the baselines folder '../elsewhere' lies outside the project"),
        (CONFIG.replace("tickets.py", "none.py"), r"the locustfile none\.py cannot be read"),
    ],
)
def test_what_is_wrong_is_found_first(
    understood: Understand, ports: Ports, project: Path, config: str, message: str
) -> None:
    """Nothing was started and no folder was made."""
    (project / "perfci.toml").write_text(config)
    with pytest.raises(ConfigError, match=message):
        understood(Request(profile="tickets"), ports)
    assert not ports.work.exists()


@pytest.fixture
def runner(ports: Ports, project: Path, tmp_path: Path) -> Callable[..., Ports]:
    """The ports of a job of GitHub Actions for an event."""

    def on(event: str, payload: object, workspace: Path = project) -> Ports:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(payload))
        job = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": event,
            "GITHUB_EVENT_PATH": str(file),
            "GITHUB_REPOSITORY": "octo/shop",
            "GITHUB_WORKSPACE": str(workspace),
        }
        return replace(ports, environ={**ports.environ, **job})

    return on


DISPATCH = {"repository": {"default_branch": "main", "full_name": "octo/shop"}}


def _pull_request(base: str) -> dict[str, object]:
    repo = {"full_name": "octo/shop"}
    head = {"sha": "1" * 40, "ref": "change", "label": "octo:change", "repo": repo}
    change = {"number": 1, "base": {"sha": base, "ref": "main", "repo": repo}, "head": head}
    return {**DISPATCH, "pull_request": change}


def test_a_pull_request_is_compared_with_its_base(
    understood: Understand, runner: Callable[..., Ports], commit: Commit
) -> None:
    """Without any option: the event names the commit. One that the user names is stronger."""
    base, other = commit(STRICT), commit(LAX)
    ports = runner("pull_request", _pull_request(base))
    for request, expected in ((Request(profile="tickets"), base), (Request(profile="tickets", base=other), other)):
        task = understood(request, ports)
        assert task.trees[Side.BASE].commit == expected
        assert task.reference is Reference.REF
        assert task.fail_on is FailOn.NO_BASELINE


def test_a_dispatch_with_a_load_of_its_own_goes_beside_the_default_branch(
    understood: Understand, runner: Callable[..., Ports], project: Path
) -> None:
    """No stored run was measured under it."""
    ports = runner("workflow_dispatch", DISPATCH)
    changed = Request(profile="tickets", overrides=Overrides(users=3))
    plain, paired = understood(Request(profile="tickets"), ports), understood(changed, ports)
    assert (plain.base, plain.notes, plain.fail_on) == (None, (), FailOn.REGRESSION)
    assert paired.reference is Reference.BASELINE
    (note,) = paired.notes
    assert "'origin/main'" in note.message


def test_an_event_that_must_not_run_load_is_refused(understood: Understand, runner: Callable[..., Ports]) -> None:
    """`pull_request_target` would run a stranger's code with the token."""
    with pytest.raises(ConfigError, match="pull_request_target"):
        understood(Request(profile="tickets"), runner("pull_request_target", _pull_request("1" * 40)))


def test_a_project_outside_the_workspace_is_refused(
    understood: Understand, runner: Callable[..., Ports], tmp_path: Path
) -> None:
    """The input `config` does not lead out of the checkout."""
    other = tmp_path / "workspace"
    other.mkdir()
    with pytest.raises(ConfigError, match="outside the workspace"):
        understood(Request(profile="tickets"), runner("workflow_dispatch", DISPATCH, other))


def test_two_sides_at_one_address_are_refused(understood: Understand, ports: Ports, commit: Commit) -> None:
    """They are up at the same time; a change that frees the port is not held up by its base."""
    fixed = CONFIG.replace(', "--port", "{port}"]', ']\nurl = "http://127.0.0.1:8123"')
    base = commit(fixed)
    with pytest.raises(ConfigError, match=r"both sides would listen at http://127\.0\.0\.1:8123"):
        understood(Request(profile="tickets", base=base), ports)
    assert understood(Request(profile="tickets"), ports).reference is Reference.BASELINE
    commit(CONFIG)
    assert understood(Request(profile="tickets", base=base), ports).reference is Reference.REF


def test_settings_of_locust_that_perfci_does_not_obey_are_named(
    understood: Understand, ports: Ports, project: Path
) -> None:
    """By hand they would change the load; where they belong is said with them."""
    (project / "locust.conf").write_text("users = 20\nrun-time = 1m\n")
    (project / "pyproject.toml").write_text("[tool.locust]\ntags = ['slow']\n")
    (note,) = understood(Request(profile="tickets"), ports).notes
    assert (note.code, note.weight) == ("settings-unread", Weight.WARNING)
    assert "locust.conf (users, run-time); [tool.locust] of pyproject.toml (tags)" in note.message
    assert "scenario" in note.hint


@pytest.mark.parametrize("build", [(), ("npm", "ci")])
def test_dependencies_that_nothing_installs_for_each_side(
    understood: Understand, ports: Ports, project: Path, commit: Commit, build: tuple[str, ...]
) -> None:
    """Both sides would run with those of one commit, which is said before any number."""
    text = CONFIG.replace("[profiles.tickets]", f"build = {json.dumps(build)}\n[profiles.tickets]")
    (project / "package-lock.json").write_text("{}")
    run_git(project, "add", ".")
    base = commit(text)
    (project / "package-lock.json").write_text('{"lockfileVersion": 3}')
    task = understood(Request(profile="tickets", base=base), ports)
    assert _codes(task) == ([] if build else ["dependencies-shared"])


def test_a_mistyped_folder_is_a_usage_error(understood: Understand, ports: Ports) -> None:
    """As a mistyped commit is: nobody has to look for a fault of the base."""
    with pytest.raises(ConfigError, match=r"no folder with a perfci\.toml"):
        understood(Request(profile="tickets", base="./gone"), ports)


def test_a_push_that_mends_the_configuration_is_not_held_up(
    understood: Understand, runner: Callable[..., Ports], commit: Commit
) -> None:
    """The commit before it cannot be used; nobody named it, so the stored runs are the reference, with a warning."""
    before = commit(CONFIG.replace("[profiles", "[profile"))
    ports = runner("push", {**DISPATCH, "before": before, "after": commit(CONFIG)})
    task = understood(Request(profile="tickets"), ports)
    assert (task.reference, task.unavailable) == (Reference.BASELINE, None)
    assert _codes(task) == ["no-base"]


def test_a_service_elsewhere_is_not_started(understood: Understand, ports: Ports) -> None:
    """Its address takes the place of the configured target; how that waits until it is ready stays."""
    task = understood(Request(profile="tickets", host="http://127.0.0.1:9"), ports)
    target = task.sources[Side.CANDIDATE].target
    assert (target.kind, getattr(target, "url", "")) == ("external", "http://127.0.0.1:9")
