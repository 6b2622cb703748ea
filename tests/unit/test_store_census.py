"""census.json: what was accepted is read back, its diff is the change of work, and nothing damaged is believed."""

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perfci import store
from perfci.errors import ExitCode, ResultError
from perfci.judge.census.accept import to_commit
from perfci.judge.policy import DEFAULT
from perfci.model import Census, CommittedCensus, EndpointCensus, Side, Statement, Tally
from tests.builders import SOURCES, a_census, a_counted_run, a_run, a_statement

TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=15)
COUNTERS = st.from_regex(r"[a-z]{1,5}/[a-z_]{1,9}", fullmatch=True)
TALLIES = st.one_of(
    st.builds(lambda mean: Tally(requests=3, mean=float(mean)), st.integers(0, 10**6)),
    st.builds(
        lambda mean, spread, requests: Tally(requests=requests, mean=mean / 8, spread=spread / 8),
        st.integers(0, 8000),
        st.integers(1, 800),
        st.integers(1, 50),
    ),
)
STATEMENTS = st.builds(
    Statement, source=st.just("db"), text=TEXTS, calls=TALLIES, rows=st.none() | TALLIES, blocks=st.none() | TALLIES
)
COMMITTED = st.builds(
    CommittedCensus,
    profile=st.just("tickets"),
    scenario=st.just("smoke"),
    load=TEXTS,
    user_classes=st.lists(TEXTS, max_size=2).map(tuple),
    tags=st.lists(TEXTS, max_size=2).map(tuple),
    environment=st.dictionaries(TEXTS, TEXTS, max_size=2),
    census=st.builds(
        Census,
        endpoints=st.dictionaries(
            TEXTS,
            st.builds(
                lambda counters, statements: EndpointCensus(
                    requests=max(tally.requests for tally in counters.values()),
                    counters=counters,
                    statements=tuple(sorted(statements, key=lambda statement: statement.text)),
                ),
                st.dictionaries(COUNTERS, TALLIES, min_size=1, max_size=3),
                st.lists(STATEMENTS, max_size=2, unique_by=lambda statement: statement.text),
            ),
            max_size=3,
        ),
        sources=st.just(tuple(sorted(SOURCES, key=lambda source: (source.name, source.kind)))),
        seed_digest=TEXTS,
    ),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(COMMITTED)
def test_what_was_committed_is_read(tmp_path: Path, census: CommittedCensus) -> None:
    """Any names, any numbers; the same census gives the same bytes."""
    store.save_census(census, tmp_path / "census.json")
    first = (tmp_path / "census.json").read_bytes()
    found = store.load_census(tmp_path / "census.json")
    assert found == census
    store.save_census(found, tmp_path / "census.json")
    assert (tmp_path / "census.json").read_bytes() == first


def _written(census: Census, folder: Path, before: CommittedCensus | None = None) -> str:
    found = to_commit(a_run(census={Side.CANDIDATE: census}), DEFAULT, before)
    assert found is not None
    store.save_census(found, folder / "census.json")
    return (folder / "census.json").read_text()


def test_the_diff_reads_as_what_changed(tmp_path: Path) -> None:
    """One line for each counter that moved, with the endpoint in it, and one for the statement that did it."""
    before = _written(a_census(), tmp_path)
    after = _written(a_census(20), tmp_path, store.load_census(tmp_path / "census.json"))
    lines = [line for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0) if line[1:3] == "  "]
    assert lines[:6] == [
        '-  "GET /tickets/ db/blocks": 13,',
        '-  "GET /tickets/ db/rows": 22,',
        '-  "GET /tickets/ db/statements": 3,',
        '+  "GET /tickets/ db/blocks": 70,',
        '+  "GET /tickets/ db/rows": 41,',
        '+  "GET /tickets/ db/statements": 22,',
    ]
    did = [line.partition(": ")[2] for line in lines[6:] if "FROM users" in line]
    assert did == [f'{{"calls": {n}, "rows": {n}, "blocks": {3 * n}}}' for n in (1, 20)]
    assert len(lines) == 8


def test_a_machine_is_no_part_of_it(tmp_path: Path) -> None:
    """Nothing that another machine, day or commit would change."""
    keys = json.loads(_written(a_census(), tmp_path)).keys()
    assert keys == {"schema", "perfci", "profile", "scenario", "seed", "load", "sources", "work", "statements"}


def _spoil(key: str, value: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content.update({key: value})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_spoil("schema", 2), "has schema 2, this perfci reads 1"),
        (lambda content: content.pop("schema"), "it has no schema number"),
        (lambda content: content.pop("seed"), "seed: is required"),
        (_spoil("extra", 1), "extra: unknown key"),
        (_spoil("work", {"no-endpoint": 4}), "work"),
        (_spoil("work", {"GET / db/rows": "many"}), "work"),
        (_spoil("work", {"GET / db/rows": 1e300}), "work"),
        (_spoil("work", {"GET / db/rows": {"mean": 1, "spread": -1, "requests": 5}}), "work"),
        (_spoil("statements", {"GET /": {"db": {"SELECT": {}}}}), "calls: is required"),
    ],
)
def test_bad_input_is_one_message(tmp_path: Path, spoil: Callable[[dict[str, Any]], object], message: str) -> None:
    """It names the file and the place, and ends in the code for bad input."""
    content = json.loads(_written(a_census(), tmp_path))
    spoil(content)
    (tmp_path / "census.json").write_text(json.dumps(content))
    with pytest.raises(ResultError) as caught:
        store.load_baseline(tmp_path, like=a_run())
    assert "census.json" in str(caught.value)
    assert message in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": 1, "schema": 1}', '{"a": NaN}', "[" * 10**5])
def test_what_is_no_census_is_refused(tmp_path: Path, text: str) -> None:
    """Whatever stands in the file."""
    (tmp_path / "census.json").write_text(text)
    with pytest.raises(ResultError):
        store.load_baseline(tmp_path, like=a_run())


def test_a_baseline_has_its_census(tmp_path: Path) -> None:
    """Recorded beside the run, which leaves its own counts behind; a run without rounds gives a census alone."""
    run = a_run(census={Side.CANDIDATE: a_census()})
    paths = store.record(run, tmp_path, census=to_commit(run, DEFAULT))
    assert [path.name for path in paths] == [f"20261121T101500-{run.id}.json", "census.json"]
    assert store.load(paths[0]).census == {}
    found = store.load_baseline(paths[0].parent, like=run)
    assert found.census is not None
    assert found.census.census.endpoints.keys() == a_census().endpoints.keys()
    counted = a_counted_run(rounds=())
    assert store.record(counted, tmp_path, census=to_commit(counted, DEFAULT)) == [paths[1]]


def test_a_run_keeps_its_counts(tmp_path: Path) -> None:
    """Of both sides and of both commits; a run from before the census is still read."""
    run = a_counted_run()
    found = to_commit(run, DEFAULT)
    assert found is not None
    whole = a_counted_run(committed={Side.BASE: found})
    store.save(whole, tmp_path / "run.json")
    assert store.load(tmp_path) == whole
    content = json.loads((tmp_path / "run.json").read_text())
    for key in ("census", "committed"):
        del content[key]
    (tmp_path / "run.json").write_text(json.dumps(content))
    assert store.load(tmp_path) == a_counted_run(census={})


@pytest.mark.parametrize("tally", [{"spread": -1.0}, {"requests": -1}, {"mean": 1e300}])
def test_impossible_counts_of_a_run_are_refused(tmp_path: Path, tally: dict[str, float]) -> None:
    """No request ever gave them."""
    census = Census(endpoints={"GET /": EndpointCensus(requests=1, counters={}, statements=(a_statement(),))})
    store.save(a_run(census={Side.CANDIDATE: census}), tmp_path / "run.json")
    content = json.loads((tmp_path / "run.json").read_text())
    content["census"]["candidate"]["endpoints"]["GET /"]["statements"][0]["calls"] |= tally
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match="'GET /: a statement' counts"):
        store.load(tmp_path)
