"""
Measures what a long history costs: seconds to add a run, and to show the trend.

`python -m bench.trend` makes a history of 5,000 runs of 20 series on two classes of machines, in a folder, with changes
of level at known runs, and times the program itself: `perfci trend` as a user starts it, and the push of one more run.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from perfci.judge.policy import DEFAULT
from perfci.judge.trend import follow
from perfci.model import HistoryRow, RoundKind, SeriesName
from perfci.store import history
from perfci.store.history import Files
from perfci.store.history_folder import HistoryFolder

BEGAN = datetime(2020, 1, 1, tzinfo=UTC)
MACHINES = ("AMD EPYC 7763 64-Core Processor, 4 cores", "Intel(R) Xeon(R) Platinum 8370C, 4 cores")
SCATTER = 0.03
"""Standard deviation of a value's log between two runs."""

STEP = 0.08
"""Change of the log of the level, where it changes."""

EVERY = 700
"""Number of runs between two changes of a series."""


def some_rows(runs: int, series: int, *, rng_seed: int = 1) -> list[HistoryRow]:
    """Two runs a day, on either machine at random; the level of each series changes now and then."""
    rng = random.Random(rng_seed)  # noqa: S311  # no secret: the same history every time
    names = [
        SeriesName(kind=RoundKind.LOAD, endpoint=f"GET /{number}", metric="trimmed_gmean") for number in range(series)
    ]
    levels = {name: rng.uniform(0.0, 3.0) for name in names}
    rows = []
    for number in range(runs):
        machine = rng.randrange(len(MACHINES))
        for name in names:
            if rng.random() < 1 / EVERY:
                levels[name] += rng.choice((-STEP, STEP))
        at = BEGAN + timedelta(hours=12 * number)
        rows.append(
            HistoryRow(
                run=f"{at:%Y%m%d-%H%M%S}-{number:04x}",
                created_at=f"{at:%Y-%m-%dT%H:%M:%SZ}",
                commit=f"{number:04x}" * 10,
                machine=MACHINES[machine],
                machine_id=f"machine-{rng.randrange(1000)}",
                conditions=f"machine-{machine}",
                values={name: 2.7 ** (levels[name] + rng.gauss(0.0, SCATTER)) for name in names},
            )
        )
    return rows


def fill(place: HistoryFolder, rows: Sequence[HistoryRow]) -> float:
    """Write all rows into the history with the changes found in them; returns the seconds that this took."""
    began = time.perf_counter()
    found = follow.changes(rows, DEFAULT)
    seconds = time.perf_counter() - began

    def change(files: Files) -> dict[str, str]:
        added = history.added(files, "tickets", "smoke", [(row, "{}") for row in rows])
        return {path: text for path, text in added.items() if "/runs/" not in path} | history.changed(
            "tickets", "smoke", found
        )

    place.update(change, message="all")
    return seconds


def main() -> None:
    """Make the history, time it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--series", type=int, default=20)
    chosen = parser.parse_args()
    rows = some_rows(chosen.runs, chosen.series)
    with tempfile.TemporaryDirectory() as folder:
        place = HistoryFolder(Path(folder) / "history")
        whole = fill(place, rows[:-1])
        began = time.perf_counter()
        follow.changes(rows, DEFAULT, history.changes(place.files(), "tickets", "smoke"))
        added_s = time.perf_counter() - began
        fill(place, rows[-1:])
        history_size = sum(len(content) for content in place.files().read(place.files().paths()).values())
        place_folder = str(place.root)
        fill_again = history.changed("tickets", "smoke", follow.changes(rows, DEFAULT))
        place.update(lambda _: fill_again, message="all")
        timed = {}
        for fmt in ("text", "json"):
            command = [sys.executable, "-I", "-m", "perfci", "trend", "--folder", place_folder, "--format", fmt]
            began = time.perf_counter()
            out = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
            timed[fmt] = time.perf_counter() - began
        changes = sum(len(line["changes"]) for line in json.loads(out)["scenarios"][0]["lines"])
    print(f"{chosen.runs} runs of {chosen.series} series: {history_size / 1e6:.1f} MB of index, {changes} changes")
    print(f"perfci trend: {timed['text']:.2f} s; --format json: {timed['json']:.2f} s")
    print(f"to find all changes anew: {whole:.2f} s; when one run is added: {added_s:.2f} s")


if __name__ == "__main__":
    main()
