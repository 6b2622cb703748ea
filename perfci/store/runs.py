"""Stores a run in one file, with everything that is needed to judge it again."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from perfci.errors import ResultError
from perfci.model import Census, Round, Run, Tally
from perfci.schema.stored import DAMAGED
from perfci.store.files import read_json, write_atomically
from perfci.store.run_folder import RunFolder
from perfci.store.run_json import FORMAT, RunDocument

LARGEST_COUNT = 2**53
LARGEST_ERROR = 100.0  # of a log


def save(run: Run, path: Path) -> None:
    """Write *run* to *path* in one step: a reader, or a crash, sees the old file or the new one."""
    write_atomically(path, text(run))


def text(run: Run) -> str:
    """The whole file of *run*."""
    return json.dumps(FORMAT.fields(RunDocument.from_model(run)), indent=1, sort_keys=True) + "\n"


def load(path: Path) -> Run:
    """The run in *path*, or in the folder *path*; ResultError says why it cannot be used."""
    missing = ResultError(f"there is no run at {path}", hint="`perfci run` prints where it stored one")
    file, content = read_json(path, inside=RunFolder(path).run, what="run", missing=missing)
    run = FORMAT.read(content, where=str(file)).to_model()
    check_names(run, file)
    _check_health(run, file)
    for measured in run.rounds:
        _check_counts(measured, file)
        _check_answers(measured, file)
    for census in run.census.values():
        check_tallies(census, file)
    for committed in run.committed.values():
        check_tallies(committed.census, file)
    return run


def check_names(run: Run, file: Path) -> None:
    """Refuse names that would lead out of the folder in which a run is recorded: they become parts of paths."""
    for what, name in (("profile", run.profile), ("scenario", run.scenario), ("id", run.id)):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", name):
            raise ResultError(
                f"{file}: {name[:60]!r} cannot be the {what} of a run",
                hint="it has letters, digits and hyphens, at most 100",
            )


def check_tallies(census: Census, file: Path) -> None:
    """Refuse counts that no request can have caused."""
    for what, tally in _tallies(census):
        if not (0 <= tally.requests <= LARGEST_COUNT and abs(tally.mean) <= LARGEST_COUNT and tally.spread >= 0):
            found = f"{str(tally.mean)[:20]} ± {str(tally.spread)[:20]} in {str(tally.requests)[:20]} requests"
            raise ResultError(f"{file}: {what[:200]!r} counts {found}", hint=DAMAGED)


def _tallies(census: Census) -> Iterator[tuple[str, Tally]]:
    for endpoint, seen in (*census.endpoints.items(), *census.cold.items()):
        yield from ((f"{endpoint} {counter}", tally) for counter, tally in seen.counters.items())
        for statement in seen.statements:
            known = (statement.calls, statement.rows, statement.blocks)
            yield from ((f"{endpoint}: a statement", tally) for tally in known if tally is not None)


def _check_health(run: Run, file: Path) -> None:
    """What perfci measured itself comes with all that says whether to believe it: else a check could be left out."""
    known = run.fingerprint.machine and run.fingerprint.plan
    if not run.origin.imported and not (known and all(each.generator and each.target for each in run.rounds)):
        text = f"{file} lacks the health of a round, the machine or the load plan, and was imported from no other tool"
        raise ResultError(text, hint=DAMAGED)


def _check_counts(measured: Round, file: Path) -> None:
    counts = [
        *((endpoint, seen.requests, seen.failures) for endpoint, seen in measured.endpoints.items()),
        *((f"second {line.at_s}", line.requests, line.failures) for line in measured.seconds),
    ]
    for what, requests, failures in counts:
        if not 0 <= failures <= requests <= LARGEST_COUNT:
            text = f"{what!r} counts {str(failures)[:20]} failures of {str(requests)[:20]} requests"
            raise ResultError(f"{file}: {text}", hint=DAMAGED)
    for endpoint, seen in measured.endpoints.items():
        if not all(0 <= error <= LARGEST_ERROR for error in seen.standard_errors.values()):
            raise ResultError(f"{file}: {endpoint[:60]!r} has a standard error that no log can have", hint=DAMAGED)
    for name, gauge in measured.gauges.items():
        if not (gauge.low <= gauge.mean <= gauge.high and gauge.step_s >= 1):
            raise ResultError(f"{file}: the gauge {name[:60]!r} has a mean beyond what was seen", hint=DAMAGED)
    kept = measured.generator.schedule if measured.generator else None
    if kept and not (0 <= kept.overslept <= kept.late <= kept.due and 0 <= kept.missed <= kept.due and kept.due > 0):
        raise ResultError(f"{file}: round {measured.number} of block {measured.block} missed more than was due")
    if measured.duration_s < 0 or measured.warmup_s < 0:
        raise ResultError(f"{file}: round {measured.number} of block {measured.block} has a negative length")


def _check_answers(measured: Round, file: Path) -> None:
    for endpoint, seen in measured.answers.items():
        known = [
            count for counts in (seen.statuses, seen.failures, seen.sizes, seen.forms) for count in counts.values()
        ]
        if not all(0 <= count <= LARGEST_COUNT for count in known) or (seen.median_bytes or 0.0) < 0:
            raise ResultError(f"{file}: {endpoint[:60]!r} was answered less often than never", hint=DAMAGED)
