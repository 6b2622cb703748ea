"""The site of the documents: MkDocs builds it strictly, and the README stays short."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def _build(config: Path, into: Path) -> "subprocess.CompletedProcess[str]":
    """Not with `--quiet`: MkDocs then counts no warnings, and is not strict."""
    mkdocs = Path(sys.executable).parent / "mkdocs"
    command = [str(mkdocs), "build", "--strict", "--config-file", str(config), "--site-dir", str(into)]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environ, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    done = _build(ROOT / "mkdocs.yml", folder)
    assert done.returncode == 0, done.stderr  # a page in no list, a link or an anchor that leads nowhere
    return folder


@pytest.mark.parametrize("text", ["[no page](nowhere.md)", "[no heading](index.md#nowhere)"])
def test_a_link_that_leads_nowhere_fails_the_build(tmp_path: Path, text: str) -> None:
    """And so does a page that is in no list."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/index.md").write_text(f"# Start\n\n{text}\n")
    strict = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=yaml.SafeLoader)
    config = {key: strict[key] for key in ("site_name", "strict", "validation")}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(config))
    done = _build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert "nowhere" in done.stderr
    assert done.returncode != 0


def test_every_page_is_built(site: Path) -> None:
    """With the first page, and nothing that is loaded from elsewhere."""
    pages = {path.stem for path in (ROOT / "docs").glob("*.md")} - {"index"}
    assert pages <= {path.parent.name for path in site.glob("*/index.html")}
    first = (site / "index.html").read_text()
    assert "fonts.googleapis.com" not in first


def test_links_out_of_the_folder_lead_to_the_repository(site: Path) -> None:
    """What is no page of the site is a file of the repository."""
    assert "https://github.com/perfci/perfci/blob/main/bench/README.md" in (site / "index.html").read_text()


def test_tutorials_come_first() -> None:
    """Then recipes, references, and the method for those who ask."""
    listed = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader=yaml.SafeLoader)["nav"]
    assert [next(iter(entry)) for entry in listed] == ["Start", "Tutorials", "Recipes", "References", "Method"]


def test_the_readme_is_short() -> None:
    """A newcomer reads it to the end."""
    assert len(README.read_text().splitlines()) <= 150
