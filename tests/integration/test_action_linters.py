"""The linters and the schema that hold the Action, run on it as it is, and on copies that are broken on purpose."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.github-actions")
WORKFLOW_SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.github-workflows")
GITLAB_SCHEMA = ("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci")
ZIZMOR = ("zizmor", "--quiet", "--no-progress", "--offline", "--strict-collection", "--persona=pedantic")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that the linters look at."""
    for name in ("action.yml", "action/setup", "action/judge", "action/command", ".github"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    return tmp_path


def _change(file: Path, old: str, new: str) -> None:
    before = file.read_text()
    assert old in before
    file.write_text(before.replace(old, new, 1))


def _run(tool: str, *arguments: str, cwd: Path) -> tuple[int, str]:
    done = subprocess.run([BIN / tool, *arguments], cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", ""),
        ("using: composite", "using: compound", "compound"),
        ("  profile:\n    description:", "  profile:\n    about:", "about"),
        ("      shell: bash\n", "", "shell"),
    ],
    ids=["as it is", "no such kind", "no such key", "no shell"],
)
def test_must_01_action_yml_fits_the_published_schema(old: str, new: str, found: str, copy: Path) -> None:
    """And what does not fit is refused with its place."""
    _change(copy / "action.yml", old, new)
    code, said = _run(*SCHEMA, "action.yml", cwd=copy)
    assert (code == 0) is not bool(found), said
    assert found in said


@pytest.mark.parametrize(
    ("schema", "file", "old", "new", "found"),
    [
        (SCHEMA, "action/judge/action.yml", "", "", ""),
        (SCHEMA, "action/judge/action.yml", "    - name: Gate\n      shell: bash\n", "    - name: Gate\n", "shell"),
        (WORKFLOW_SCHEMA, ".github/workflows/gate.yml", "", "", ""),
        (WORKFLOW_SCHEMA, ".github/workflows/gate.yml", "runs-on: ubuntu", "run-on: ubuntu", "run-on"),
        (SCHEMA, "action/command/action.yml", "", "", ""),
        (SCHEMA, "action/command/action.yml", "using: composite", "using: compound", "compound"),
        (WORKFLOW_SCHEMA, ".github/workflows/command.yml", "", "", ""),
        (WORKFLOW_SCHEMA, ".github/workflows/command.yml", "actions: write", "actions: yes", "actions"),
        (WORKFLOW_SCHEMA, ".github/workflows/publish.yml", "", "", ""),
        (WORKFLOW_SCHEMA, ".github/workflows/publish.yml", "statuses: write", "statuses: yes", "statuses"),
    ],
)
def test_must_01_the_judging_files_fit_their_schemas(
    *, schema: tuple[str, ...], file: str, old: str, new: str, found: str, copy: Path
) -> None:
    """The actions of the jobs that judge and that read comments, and the reusable workflows."""
    _change(copy / file, old, new)
    code, said = _run(*schema, file, cwd=copy)
    assert (code == 0) is not bool(found), said
    assert found in said


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("action.yml", "", "", ""),
        ("action.yml", 'exec "$GITHUB_ACTION_PATH/action/setup"', "echo ${{ inputs.key }}", "template-injection"),
        (
            "action/judge/action.yml",
            'exec "$GITHUB_ACTION_PATH/../setup"',
            "echo ${{ inputs.key }}",
            "template-injection",
        ),
        (".github/workflows/ci.yml", "pull_request:", "pull_request_target:", "dangerous-triggers"),
        (".github/workflows/perf.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    ],
    ids=["as it is", "an injection", "an injection into the judge", "a trigger with rights", "every permission"],
)
def test_must_02_zizmor_finds_nothing(file: str, old: str, new: str, found: str, copy: Path) -> None:
    """And finds what an attacker could use where something is broken."""
    _change(copy / file, old, new)
    code, said = _run(*ZIZMOR, ".", cwd=copy)
    assert (code == 0) is not bool(found), said
    assert found in said


def test_must_03_a_moving_version_is_found(copy: Path) -> None:
    """A tag instead of a commit is a finding of zizmor's, too."""
    file = copy / "action.yml"
    pinned = next(line for line in file.read_text().splitlines() if "uses: actions/" in line)
    _change(file, pinned, pinned.partition("@")[0] + "@v7")
    code, said = _run(*ZIZMOR, ".", cwd=copy)
    assert code != 0
    assert "unpinned-uses" in said


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [("", "", ""), ('cd "$home"', "cd $home", "SC2086")],
    ids=["as it is", "an open word"],
)
def test_must_04_shellcheck_finds_nothing(old: str, new: str, found: str, copy: Path) -> None:
    """And finds a word that a blank would split."""
    _change(copy / "action/setup", old, new)
    code, said = _run("shellcheck", "action/setup", cwd=copy)
    assert (code == 0) is not bool(found), said
    assert found in said


def _recipes() -> list[Any]:
    """Every workflow that a document shows."""
    found = []
    for page in sorted((ROOT / "docs").glob("*.md")):
        blocks = re.findall(r"^```yaml\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL)
        whole = [block for block in blocks if re.search(r"^(jobs|  script):", block, re.MULTILINE)]
        found += [pytest.param(block, id=f"{page.stem}-{number}") for number, block in enumerate(whole, start=1)]
    return found


@pytest.mark.parametrize("recipe", _recipes())
def test_a_recipe_fits_the_schema_of_its_server(recipe: str, tmp_path: Path) -> None:
    """What a reader copies is a workflow, or a pipeline of GitLab's."""
    file = tmp_path / "recipe.yml"
    file.write_text(recipe)
    schema = WORKFLOW_SCHEMA if re.search(r"^jobs:", recipe, re.MULTILINE) else GITLAB_SCHEMA
    code, said = _run(*schema, str(file), cwd=tmp_path)
    assert code == 0, said


def test_there_are_recipes() -> None:
    """Of both servers."""
    assert len(_recipes()) > 8
