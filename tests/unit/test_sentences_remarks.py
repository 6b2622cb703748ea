"""Lines about how a run was measured: they weigh nothing, and say what numbers stand for."""

from dataclasses import replace

from perfci.model import Census, CounterSource, Folded, Run, Side
from perfci.sentences.remarks import remarks
from tests.builders import a_run


def by_name(run: Run) -> dict[str, str]:
    """The remarks by their names."""
    return {remark.name: remark.text for remark in remarks(run)}


def counted(*sources: CounterSource) -> Run:
    """A run whose sides were counted by these."""
    return a_run(census=dict.fromkeys(Side, Census(endpoints={}, sources=sources)))


RESPONSE = CounterSource(name="response", kind="response", found=True)
DB = CounterSource(name="db", kind="postgresql", found=True, note="no statements")


def test_what_counted_the_work_is_told_and_what_could_not() -> None:
    """With the reason, in bounds: it may be what a service answered."""
    missing = CounterSource(name="cache", kind="redis", found=False, note="x" * 1000)
    text = by_name(counted(RESPONSE, DB, missing))["Work"]
    assert text.startswith("counted by response, db (postgresql); not found: cache (redis): xxx")
    assert len(text) < 250
    assert by_name(counted(RESPONSE)) == {"Work": "counted by response"}
    assert by_name(counted(missing))["Work"].startswith("no source of counts was found; not found: cache")


def test_a_run_without_a_census_says_so() -> None:
    """Nobody shall believe that work was compared."""
    assert by_name(a_run(census={})) == {"Work": "not counted"}


def test_endpoints_of_several_names_are_told_and_those_that_are_apart() -> None:
    """With how many there are, and what sets them apart; a long list is cut."""
    folded = (
        Folded(endpoint="GET /p?id={value}", names=1103),
        Folded(endpoint="GET /p?id={value} (failed with 404)", names=12, because="failed with 404"),
        Folded(endpoint="GET /p?id=7", names=1, because="larger answers"),
    )
    assert by_name(replace(counted(RESPONSE), folded=folded))["Folded"] == (
        "1,103 names are GET /p?id={value}; kept apart, because their answers differ: "
        "GET /p?id={value} (failed with 404), 12 names, GET /p?id=7 (larger answers)"
    )
    many = tuple(Folded(endpoint=f"GET /{letter}/{{id}}", names=2) for letter in "abcdefg")
    assert by_name(replace(counted(RESPONSE), folded=many))["Folded"].endswith(" and 2 more")
