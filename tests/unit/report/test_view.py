"""The registry of formats: it alone says what may be asked for, and what a run leaves."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from perfci import store
from perfci.cli import cli
from perfci.errors import ExitCode
from perfci.pipeline import documents
from perfci.report import FORMATS
from perfci.report.view import View
from tests.builders import a_paired_run, a_red_outcome


def test_a_run_leaves_the_formats_that_have_a_file(tmp_path: Path) -> None:
    """Each holds what the format makes of the view, and nothing else but the exit code is there."""
    view = View(outcome=a_red_outcome(), run=a_paired_run())
    documents.write(view, tmp_path, code=ExitCode.REGRESSION)
    files = {fmt.file: fmt.render(view) for fmt in FORMATS.values() if fmt.file}
    assert {path.name for path in tmp_path.iterdir()} == {*files, "exit-code"}
    assert {name: (tmp_path / name).read_text() for name in files} == files


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_can_be_asked_for(tmp_path: Path, fmt: str) -> None:
    """`--format` takes each name of the registry, and prints that document."""
    store.save(a_paired_run(), tmp_path / "run.json")
    done = CliRunner().invoke(cli, ["compare", str(tmp_path), "--config", str(tmp_path / "none.toml"), "--format", fmt])
    assert done.exit_code == 0
    assert "tickets" in done.stdout


def test_another_format_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    """Wrong usage, with all names; the help has them, too."""
    done = CliRunner().invoke(cli, ["compare", str(tmp_path), "--format", "pdf"])
    assert done.exit_code == 2
    assert all(fmt in done.stderr for fmt in FORMATS)
    assert all(fmt in CliRunner().invoke(cli, ["compare", "--help"]).stdout for fmt in FORMATS)
