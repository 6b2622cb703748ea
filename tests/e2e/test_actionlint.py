"""actionlint on the workflows, on those that the documents show, and on the steps of the Action as a workflow's."""

import re
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
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
FENCE = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = re.compile(r"uses: perfci/perfci(?P<path>/[^@\s]+)?@\S+")


def _dump(workflow: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(workflow, sort_keys=False, width=1000)
    return text


def _shown() -> list[Any]:
    """Every workflow, and every list of steps as the job of a workflow, that a document shows."""
    found = []
    for file in DOCUMENTS:
        for number, text in enumerate(FENCE.findall(file.read_text()), start=1):
            block = yaml.safe_load(text)
            name = f"{file.relative_to(ROOT).as_posix()}-{number}"
            if isinstance(block, list):
                job = {"runs-on": "ubuntu-24.04", "steps": block}
                found.append(pytest.param(_dump({"on": "push", "jobs": {"job": job}}), id=name))
            elif "jobs" in block:  # else it is the configuration of another CI system
                found.append(pytest.param(text, id=name))
    return found


def _own(text: str) -> str:
    """*text* with the Action and workflows of this checkout, whose inputs can be read, in place of released ones."""
    return OURS.sub(lambda found: f"uses: .{found['path'] or '/'}", text)


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


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of workflows in a repository that has perfci's own ones and the Action."""
    shutil.copytree(ROOT / ".github/workflows", tmp_path / ".github/workflows")
    shutil.copytree(ROOT / "action", tmp_path / "action")
    shutil.copy(ROOT / "action.yml", tmp_path)
    (tmp_path / ".git").mkdir()  # actionlint looks for what `./` is where there is one
    return tmp_path / ".github/workflows"


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


@pytest.mark.parametrize("config", ["perfci.toml", "service/perfci.toml"])
def test_actionlint_finds_nothing_in_what_init_writes(
    actionlint: Path, shellcheck: Path, project: Path, config: str
) -> None:
    """The workflows of `perfci init` are a stranger's first, and give the called ones the inputs that they have."""
    for name, text in workflows("web:smoke", config).items():
        (project / Path(name).name).write_text(_own(text))
    assert _found(actionlint, shellcheck, project) == ""


@pytest.mark.parametrize("text", _shown())
def test_actionlint_finds_nothing_in_what_the_documents_show(
    actionlint: Path, shellcheck: Path, project: Path, text: str
) -> None:
    """Whoever copies a workflow or a step from a document has one that GitHub takes, with inputs that exist."""
    (project / "shown.yml").write_text(_own(text))
    assert _found(actionlint, shellcheck, project) == ""


@pytest.mark.parametrize("document", ["README.md", "docs/on-demand.md", "docs/workflows.md"])
def test_actionlint_finds_an_input_that_nobody_has_in_what_a_document_shows(
    actionlint: Path, shellcheck: Path, project: Path, document: str
) -> None:
    """Each call of perfci's own workflows and Action in a document is held against the inputs that they have."""
    asked = 0
    for number, shown in enumerate(each.values[0] for each in _shown() if str(each.id).startswith(document)):
        broken, calls = re.subn(r"(with:\n +)profile: ", r"\1profil: ", _own(shown))
        (project / f"shown-{number}.yml").write_text(broken)
        asked += calls
    assert asked > 0
    assert _found(actionlint, shellcheck, project).count('"profil" is not defined') == asked


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
