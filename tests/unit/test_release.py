"""What a release is made of: its version, its notes, and the list of what is installed with it."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())


@pytest.fixture(scope="module")
def release() -> ModuleType:
    """The program of the release workflow."""
    spec = importlib.util.spec_from_file_location("release", ROOT / ".ci/release.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _project(folder: Path, *, version: str, changelog: str) -> Path:
    (folder / "perfci").mkdir()
    (folder / "perfci/__init__.py").write_text(f'__version__ = "{version}"\n')
    (folder / "CHANGELOG.md").write_text(changelog)
    return folder


def test_the_notes_are_those_of_the_version(release: ModuleType, tmp_path: Path) -> None:
    """Nothing of the versions around it, and nothing of what is not released."""
    released = "## [1.2.0] - 2026-12-01\n\n### Added\n\n- b\n\n## [1.1.0] - 2026-11-01\n\n- a\n"
    changelog = f"# Changelog\n\n## [Unreleased]\n\n- c\n\n{released}"
    root = _project(tmp_path, version="1.2.0", changelog=changelog)
    assert release.version(root) == "1.2.0"
    assert release.notes("1.2.0", root) == "### Added\n\n- b\n"
    assert release.notes("1.1.0", root) == "- a\n"


def test_the_first_release_has_the_tag_that_the_documents_name(release: ModuleType, tmp_path: Path) -> None:
    """The release workflow moves the tag of the major version: a 0.9.0 would leave `v1` without a commit."""
    root = _project(tmp_path, version="0.9.0", changelog="## [0.9.0] - 2026-01-02\n\n- one\n")
    with pytest.raises(SystemExit, match=r"the first release is 1\.0\.0"):
        release.version(root)


@pytest.mark.parametrize(
    ("version", "changelog"),
    [
        ("1.2.0", "## [Unreleased]\n\n- b\n"),
        ("1.2.0", "## [1.2.0] - 2026-12-01\n\n## [1.1.0] - 2026-11-01\n\n- a\n"),
        ("1.2.0.dev1", "## [1.2.0.dev1] - 2026-12-01\n\n- b\n"),
    ],
)
def test_a_version_without_notes_is_not_released(
    release: ModuleType, tmp_path: Path, version: str, changelog: str
) -> None:
    """Nor one that is no release."""
    root = _project(tmp_path, version=version, changelog=changelog)
    with pytest.raises(SystemExit, match=r"CHANGELOG\.md|X\.Y\.Z"):
        release.version(root)


def test_the_bill_of_materials_has_every_locked_package(release: ModuleType) -> None:
    """Each once, by the name and version that the lock file installs; the same text each time."""
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "requirements/action.txt").read_text(), re.MULTILINE)
    text = release.sbom("1.2.0")
    document = json.loads(text)
    assert {(each["name"], each["version"]) for each in document["components"]} == set(locked)
    assert len(document["components"]) == len(locked) > 20
    assert document["metadata"]["component"]["version"] == "1.2.0"
    assert text == release.sbom("1.2.0")


def test_only_the_jobs_that_need_a_right_have_it() -> None:
    """The job that builds can read; the one that may write to the repository runs nothing of it."""
    jobs = WORKFLOW["jobs"]
    assert WORKFLOW["permissions"] == {}
    assert jobs["build"]["permissions"] == {"contents": "read"}
    assert jobs["build"]["if"] == "github.ref == 'refs/heads/main'"
    assert jobs["publish"]["environment"] == "pypi"
    assert not [step for step in jobs["tag"]["steps"] if "checkout" in step.get("uses", "")]
    assert {"build", "publish"} <= set(jobs["tag"]["needs"])
