"""
What a release needs, with the standard library alone: its version, its notes, its files, and what is in them.

    python3 .ci/release.py version            the version, if the changelog has notes for it
    python3 .ci/release.py notes              those notes, in Markdown
    python3 .ci/release.py sbom               what is installed with it, as CycloneDX
    python3 .ci/release.py build DIR          wheel and sdist, the same bytes for the same commit
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "perfci/starter/commit.txt"
"""Where a release notes the commit that it was built from: `perfci init` calls the workflows of that commit."""


def version(root: Path = ROOT) -> str:
    """The version of the package; SystemExit where it is none to release, or the changelog has no notes for it."""
    found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', (root / "perfci/__init__.py").read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit("perfci/__init__.py has no version X.Y.Z")
    if found[1].startswith("0."):
        raise SystemExit(
            f"{found[1]} would move the tag v0, and what calls perfci names v1: the first release is 1.0.0"
        )
    notes(found[1], root)
    return found[1]


def notes(of: str, root: Path = ROOT) -> str:
    """The section of the changelog for a version, without its heading; SystemExit where there is none."""
    text = (root / "CHANGELOG.md").read_text()
    heading = rf"^## \[{re.escape(of)}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)"
    found = re.search(heading, text, re.MULTILINE | re.DOTALL)
    if found is None or not found[1].strip():
        raise SystemExit(f"CHANGELOG.md has no section '## [{of}] - YYYY-MM-DD' with notes")
    return found[1].strip() + "\n"


def sbom(of: str, root: Path = ROOT) -> str:
    """A bill of materials of the package and of all that its lock file installs; the same text for the same files."""
    components = [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{release}",
            "name": name,
            "version": release,
            "purl": f"pkg:pypi/{name}@{release}",
        }
        for name, release in _locked((root / "requirements/action.txt").read_text())
    ]
    own = {"type": "application", "bom-ref": f"pkg:pypi/perfci@{of}", "name": "perfci", "version": of}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": own},
        "components": components,
        "dependencies": [{"ref": own["bom-ref"], "dependsOn": [each["bom-ref"] for each in components]}],
    }
    return json.dumps(document, indent=2) + "\n"


def _locked(text: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE):
        yield found[1].lower().replace("_", "-"), found[2]


def build(into: Path, root: Path = ROOT) -> None:
    """Wheel and sdist of the commit that is checked out, with the build's own packages from the lock file."""
    commit, seconds = _git(root, "rev-parse", "HEAD"), _git(root, "log", "-1", "--format=%ct")
    noted = root / COMMIT
    noted.write_text(f"{commit}\n")
    try:
        constraints = ["--build-constraints", "requirements/dev.txt", "--require-hashes"]
        environ = {**os.environ, "SOURCE_DATE_EPOCH": seconds}
        subprocess.run(
            ["uv", "build", "--quiet", "--out-dir", into, *constraints, "."], cwd=root, env=environ, check=True
        )
    finally:
        noted.unlink()


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def main(arguments: list[str]) -> None:
    """Do what the first argument says."""
    match arguments:
        case ["version"]:
            sys.stdout.write(version() + "\n")
        case ["notes"]:
            sys.stdout.write(notes(version()))
        case ["sbom"]:
            sys.stdout.write(sbom(version()))
        case ["build", into]:
            build(Path(into).resolve())
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
