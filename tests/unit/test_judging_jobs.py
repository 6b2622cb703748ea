"""The jobs that judge: what they may do, what they check out, and that what they are given arrives."""

import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from perfci.cli import cli

ROOT = Path(__file__).parents[2]
JUDGE: dict[str, Any] = yaml.safe_load((ROOT / "action/judge/action.yml").read_text())
STEPS = {step["name"]: step for step in JUDGE["runs"]["steps"]}
GATE: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/gate.yml").read_text())
PUBLISH: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/publish.yml").read_text())
COMMAND: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/command.yml").read_text())
COMMAND_ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action/command/action.yml").read_text())
JUDGING = [pytest.param(GATE["jobs"]["judge"], id="gate"), pytest.param(PUBLISH["jobs"]["publish"], id="publish")]
NAMED = {f"PERFCI_{name}" for name in ("INTERPRETER", "COMMENT", "KEY", "MATRIX", "JOB_WORKFLOW", "LOGIN", "TOKEN")}
"""Variables that no option reads; they are looked up by name."""


def test_the_steps_are_those_of_the_action() -> None:
    """Set-up, verdict, gate; each named shell, and nothing of an earlier step is loaded."""
    assert list(STEPS) == ["Set up perfci", "Judge and publish", "Gate"]
    for step in STEPS.values():
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        assert step["env"].items() >= {"BASH_ENV": "", "LD_AUDIT": "", "LD_PRELOAD": ""}.items()
    assert STEPS["Set up perfci"]["run"] == 'exec "$GITHUB_ACTION_PATH/../setup"'
    assert STEPS["Judge and publish"]["run"] == 'exec "$PERFCI_INTERPRETER" -I -m perfci publish'
    assert STEPS["Gate"]["run"] == 'exec "$PERFCI_INTERPRETER" -I -m perfci gate'


def test_every_variable_is_read_by_the_command() -> None:
    """A PERFCI_* that nobody reads is an input without effect; and every input reaches a step."""
    publish = cli.get_command(click.Context(cli), "publish")
    assert publish is not None
    read = {param.envvar for param in publish.params}
    given = {name for name in STEPS["Judge and publish"]["env"] if name.startswith("PERFCI_")}
    assert given - NAMED <= read
    whole = yaml.safe_dump(JUDGE["runs"])
    assert [name for name in JUDGE["inputs"] if f"inputs.{name}" not in whole] == []
    for name, entry in JUDGE["inputs"].items():
        assert entry.get("required") or isinstance(entry["default"], str), name
        assert entry["description"].endswith("."), name


def test_must_18_the_job_with_the_changes_code_has_no_token_that_can_write() -> None:
    """It may read the repository and no more, keeps no credentials, and gives perfci no token."""
    measure = GATE["jobs"]["measure"]
    assert measure["permissions"] == {"contents": "read"}
    checkouts = [step for step in measure["steps"] if step["uses"].startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False, False]
    (measuring,) = [step for step in measure["steps"] if step["uses"] == "./perfci"]
    assert measuring["with"]["github-token"] == ""
    assert measuring["with"]["comment"] == "off"
    holders = [name for name, step in STEPS.items() if "token" in yaml.safe_dump(step).lower()]
    assert holders == ["Judge and publish"]


@pytest.mark.parametrize("job", JUDGING)
def test_must_19_a_job_that_judges_checks_out_perfci_alone(job: dict[str, Any]) -> None:
    """At the commit of the workflow itself, and never the repository that called; it restores no cache."""
    checkout, judge = job["steps"]
    assert checkout["with"] == {
        "repository": "${{ fromJSON(toJSON(job)).workflow_repository || 'perfci/perfci' }}",
        "ref": "${{ fromJSON(toJSON(job)).workflow_sha || 'v1' }}",
        "path": "perfci",
        "persist-credentials": False,
    }
    assert judge["uses"] == "./perfci/action/judge"
    assert set(judge["with"]) <= set(JUDGE["inputs"])
    assert "cache" not in yaml.safe_dump([job, JUDGE["runs"]])
    assert job["permissions"] == {
        "actions": "read", "contents": "read", "pull-requests": "write", "statuses": "write"
    }  # fmt: skip


def test_the_judge_runs_whatever_became_of_the_measurement() -> None:
    """A required check that is skipped counts as green: only a cancel leaves it out. Without a name nothing fits."""
    judge = GATE["jobs"]["judge"]
    assert judge["needs"] == ["measure", "confirm"]
    assert judge["if"] == "${{ !cancelled() }}"
    assert judge["steps"][1]["with"]["artifact"] == "${{ needs.measure.outputs.artifact || 'none' }}"


def test_what_the_measuring_job_says_is_what_the_action_gives() -> None:
    """Outputs of a step that nobody declares would be empty, and the judge would look for the wrong artifact."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    named = re.findall(r"steps\.measure\.outputs\.([\w-]+)", yaml.safe_dump(GATE["jobs"]["measure"]["outputs"]))
    assert len(named) == 4
    assert set(named) <= set(action["outputs"])


def test_a_stranger_cannot_start_the_publisher() -> None:
    """It is a called workflow that only goes on after a run of pull_request."""
    assert list(PUBLISH[True]) == list(GATE[True]) == ["workflow_call"]  # YAML reads `on` as a truth value
    assert "github.event_name == 'workflow_run'" in PUBLISH["jobs"]["publish"]["if"]
    assert "workflow_run.event == 'pull_request'" in PUBLISH["jobs"]["publish"]["if"]


def test_the_job_that_reads_comments_never_has_the_change() -> None:
    """It checks out perfci alone, may start workflows and write nothing, and its token is in one step."""
    job = COMMAND["jobs"]["command"]
    checkout, action = job["steps"]
    assert checkout["with"]["path"] == "perfci"
    assert "workflow_repository" in checkout["with"]["repository"]
    assert checkout["with"]["persist-credentials"] is False
    assert action["uses"] == "./perfci/action/command"
    assert set(action["with"]) <= set(COMMAND_ACTION["inputs"])
    assert job["permissions"] == {"actions": "write", "contents": "read", "pull-requests": "read"}
    assert "issue_comment" in job["if"]
    steps = COMMAND_ACTION["runs"]["steps"]
    assert [step["name"] for step in steps if "token" in yaml.safe_dump(step).lower()] == ["Carry out"]
    for step in steps:
        assert "${{" not in step["run"]
        assert step["env"].items() >= {"BASH_ENV": "", "LD_AUDIT": "", "LD_PRELOAD": ""}.items()


def test_what_a_comment_may_set_are_inputs_of_the_workflow_by_hand() -> None:
    """Each of them, and the comment cannot name another."""
    from perfci.pipeline.commanding import INPUTS

    workflow = yaml.safe_load((ROOT / ".github/workflows/perf.yml").read_text())
    assert sorted(workflow[True]["workflow_dispatch"]["inputs"]) == sorted(INPUTS)


def test_a_red_is_repeated_by_a_job_with_the_same_rights() -> None:
    """Its steps are those that measured, but that it takes the first run, and measures what was red in that alone."""
    measure, confirm = GATE["jobs"]["measure"], GATE["jobs"]["confirm"]
    assert confirm["needs"] == "measure"
    assert confirm["permissions"] == measure["permissions"]
    assert "needs.measure.outputs.verdict == 'regression'" in confirm["if"]
    *before, download, action = confirm["steps"]
    *first, measured = measure["steps"]
    assert before == first
    name = "again-${{ needs.measure.outputs.artifact }}-${{ github.run_attempt }}"
    assert action["with"] == {**measured["with"], "artifact-name": name, "confirm": download["with"]["path"]}
    assert download["with"]["name"] == "${{ needs.measure.outputs.artifact }}"
    assert GATE["jobs"]["judge"]["needs"] == ["measure", "confirm"]
    assert GATE["jobs"]["judge"]["steps"][-1]["with"]["repeated"] == "${{ needs.confirm.result }}"
