"""actionlint on the workflows, and on the steps of the Action as if they were a workflow's."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from perfci.starter.texts import workflows

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def _found(actionlint: Path, shellcheck: Path, folder: Path) -> str:
    """What actionlint says of all workflows in *folder*."""
    files = [str(file) for file in sorted(folder.glob("*.yml"))]
    command = [str(actionlint), "-no-color", "-shellcheck", str(shellcheck), "-pyflakes=", *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


@pytest.fixture
def shellcheck() -> Path:
    """The one that the development environment has."""
    return ROOT / ".venv/bin/shellcheck"


@pytest.fixture
def as_workflow(tmp_path: Path) -> dict[str, Any]:
    """The steps of action.yml as the job of a workflow with the same inputs."""
    return _workflow_of(ROOT / "action.yml")


def _workflow_of(file: Path) -> dict[str, Any]:
    action = yaml.safe_load(file.read_text())
    inputs = {
        name: {"description": entry["description"], "type": "string", "required": entry.get("required", False)}
        for name, entry in action["inputs"].items()
    }
    jobs = {
        "gate": {"runs-on": "ubuntu-24.04", "strategy": {"matrix": {"leg": [1, 2]}}, "steps": action["runs"]["steps"]}
    }
    return {"name": "as a workflow", "on": {"workflow_call": {"inputs": inputs}}, "jobs": jobs}


def test_must_04_actionlint_finds_nothing(
    actionlint: Path, shellcheck: Path, as_workflow: dict[str, Any], tmp_path: Path
) -> None:
    """Neither in the workflows nor in the steps."""
    for file in WORKFLOWS:
        shutil.copy(file, tmp_path)
    (tmp_path / "action.yml").write_text(_dump(as_workflow))
    (tmp_path / "judge.yml").write_text(_dump(_workflow_of(ROOT / "action/judge/action.yml")))
    assert _found(actionlint, shellcheck, tmp_path) == ""


def test_must_04_actionlint_finds_what_is_broken(
    actionlint: Path, shellcheck: Path, as_workflow: dict[str, Any], tmp_path: Path
) -> None:
    """An output of a step that does not exist, an input that nobody declares, a word that a blank would split."""
    set_up, run, *_ = as_workflow["jobs"]["gate"]["steps"]
    set_up["run"] = "exec $GITHUB_ACTION_PATH/action/setup"
    run["env"]["A"] = "${{ steps.nobody.outputs.a }}"
    run["env"]["B"] = "${{ inputs.nobody }}"
    (tmp_path / "action.yml").write_text(_dump(as_workflow))
    said = _found(actionlint, shellcheck, tmp_path)
    assert said.count('property "nobody" is not defined') == 2
    assert "SC2086" in said


def test_actionlint_finds_nothing_in_what_init_writes(actionlint: Path, shellcheck: Path, tmp_path: Path) -> None:
    """The workflows of `perfci init` are a stranger's first."""
    for name, text in workflows("web:smoke", "service/perfci.toml").items():
        (tmp_path / Path(name).name).write_text(text)
    assert _found(actionlint, shellcheck, tmp_path) == ""


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("needs: measure", "needs: measurement", "measurement"),
        ("outputs.artifact ||", "outputs.artefact ||", "artefact"),
        ("    statuses: write", "    statuses: maybe", "maybe"),
        ("type: number", "type: amount", "amount"),
    ],
)
def test_must_04_actionlint_finds_what_is_broken_in_the_two_jobs(
    actionlint: Path, shellcheck: Path, tmp_path: Path, *, old: str, new: str, found: str
) -> None:
    """A job that nobody waits for, an output that no job has, a permission and a type that do not exist."""
    text = (ROOT / ".github/workflows/gate.yml").read_text()
    assert old in text
    (tmp_path / "gate.yml").write_text(text.replace(old, new, 1))
    assert found in _found(actionlint, shellcheck, tmp_path)


def _dump(workflow: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(workflow, sort_keys=False, width=1000)
    return text
