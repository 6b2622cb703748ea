"""The history that `bench.trend` times is one: its runs are read back, and its changes are found."""

from pathlib import Path

from bench.trend import EVERY, fill, some_rows
from perfci.store import history
from perfci.store.history_folder import HistoryFolder


def test_the_history_that_is_timed_has_changes_on_two_machines(tmp_path: Path) -> None:
    """Half a year of two series: whoever speeds the trend up measures it on something that happens."""
    rows = some_rows(EVERY, 2)
    place = HistoryFolder(tmp_path)
    fill(place, rows)
    kept = history.rows(place.files(), "tickets", "smoke")
    found = history.changes(place.files(), "tickets", "smoke")
    assert [row.run for row in kept] == [row.run for row in rows]
    assert len({row.conditions for row in kept}) == 2
    assert found is not None
    assert any(line.change_points for line in found.lines.values())
