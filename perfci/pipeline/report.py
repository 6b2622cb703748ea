"""`perfci report`: the report of a stored run, as it was judged. Nothing is judged again."""

from pathlib import Path

from perfci import store
from perfci.config import read
from perfci.errors import ConfigError
from perfci.judge.comparability import comparable
from perfci.model import Outcome, Reference, Run
from perfci.pipeline import documents
from perfci.pipeline.compare import located
from perfci.pipeline.paths import inside
from perfci.report import FORMATS
from perfci.report.view import View
from perfci.store import RunFolder, write_atomically


def view_of(run: Path, *, config_file: Path) -> View:
    """
    What the folder of *run*, or the run with this id, holds: result, measurement, and what it was compared with.

    The stored runs are those of the configuration's baselines; without them the report shows the candidate alone.
    """
    folder = located(run, config_file.parent)
    outcome = documents.read(folder)
    if not RunFolder(folder).holds_run():
        return View(outcome=outcome)
    measured = store.load(folder)
    return View(outcome=outcome, run=measured, stored=_stored(measured, outcome, config_file))


def write(view: View, run: Path, *, fmt: str, config_file: Path) -> Path:
    """Write the report of *view* anew, in the format *fmt*, into the folder of *run*; its path."""
    name = FORMATS[fmt].file
    if not name:
        raise ConfigError(f"a run has no file for {fmt}", hint="--format prints it")
    file = RunFolder(located(run, config_file.parent)).report(name)
    write_atomically(file, FORMATS[fmt].render(view))
    return file.resolve()


def _stored(run: Run, outcome: Outcome, config_file: Path) -> tuple[Run, ...]:
    if outcome.subject.reference is not Reference.BASELINE or not config_file.exists():
        return ()
    root = inside(config_file.parent.resolve(), read(config_file).baselines, what="baselines folder")
    return comparable(run, store.load_baseline(store.baseline_folder(root, run.profile, run.scenario), like=run))
