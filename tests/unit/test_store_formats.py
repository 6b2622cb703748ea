"""The formats of stored files: every field is kept, and files of other versions are read or refused with the reason."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from perfci import __version__, store
from perfci.errors import ExitCode, ResultError
from perfci.model import (
    Answers,
    Arrivals,
    BusiestUser,
    Census,
    CommittedCensus,
    CounterSource,
    EndpointCensus,
    EndpointName,
    EndpointRound,
    Folded,
    Histogram,
    InStep,
    LookPlan,
    Origin,
    Phase,
    RoundKind,
    Run,
    Schedule,
    Second,
    Side,
    Stage,
    Statement,
    Step,
    Stretch,
    TargetHealth,
    Timing,
)
from perfci.report import render, result_json
from perfci.schema.stored import Format, Vocabulary, stored
from perfci.store import runs
from perfci.store.run_json import RunDocument
from tests.builders import (
    a_fingerprint,
    a_gauge,
    a_generator,
    a_machine,
    a_plan,
    a_round,
    a_run,
    a_tally,
    an_outcome,
)


def a_full_run() -> Run:
    """A run in which no field is empty, and none has its default."""
    tally = a_tally(4.5, 0.5)
    statement = Statement(source="db", text="SELECT ?", calls=tally, rows=tally, blocks=tally)
    counted = EndpointCensus(requests=5, counters={"db/rows": tally}, statements=(statement,))
    source = CounterSource(name="db", kind="postgresql", found=True, note="no statements")
    census = Census(
        endpoints={"GET /": counted},
        cold={"GET /": counted},
        sources=(source,),
        unreached=("DELETE /",),
        seed_digest="5eed",
    )
    committed = CommittedCensus(
        profile="tickets",
        scenario="smoke",
        load="10ad",
        user_classes=("Agent",),
        tags=("slow",),
        environment={"SHOP": "1"},
        census=census,
    )
    seen = EndpointRound(requests=9, failures=1, values={"p50": 4.5}, standard_errors={"p50": 0.25})
    seen = replace(seen, histogram=Histogram("70: 5 -5 3"))
    generator = a_generator(
        users_kept=9,
        loop_lag_max_ms=8.5,
        clock_step_s=0.5,
        schedule=Schedule(due=9.5, late=3, missed=1.5, overslept=2, late_s=0.75),
        in_step=InStep(wait_s=1.5, dispersion=2.5),
        silent_because="2 of its users wait between two tasks",
        ended_early="runner.quit() in shop.py, line 7, after 0.1 s",
        cut_off_s=95.0,
    )
    measured = a_round(
        slices=4,
        endpoints={"GET /": seen},
        gauges={"api/cpu": replace(a_gauge(0.5, None, 1.5, unit="cores"), step_s=2)},
        generator=generator,
        target=TargetHealth(alive=False, restarts=1, note="killed", service="api"),
        errors={"GET /: 500": 1},
        phases={"spike": Phase(seconds=4.5, endpoints={"GET /": seen})},
        user_classes={"Viewer": {"GET /": seen}},
        busiest_user=BusiestUser(users=9, requests=40, seconds=59.0, refused=True),
        seconds=(Second(at_s=3, users=2, requests=5, failures=1, p95_ms=8.5, p50_ms=4.5),),
        stretches=(Stretch(at_s=5.5, seconds=6.5, requests=9, failures=1, histogram=Histogram("70: 5 -5 3")),),
        answers={
            "GET /": Answers(
                statuses={200: 8},
                failures={500: 1},
                sizes={40: 8},
                median_bytes=900.0,
                forms={"text/html; ; HTTP/1.1": 8},
            )
        },
    )
    machine = a_machine(kind="container", image="ubuntu24", cpu_limit=1.5, memory_limit_mb=512)
    plan = a_plan(
        tags=("slow",),
        environment={"SHOP": "1"},
        processes=2,
        workers=3,
        arrivals=Arrivals(rate=2.5, pattern="poisson", rng_seed=7),
        stages=(Stage(name="spike", users=20, ramp_s=1.5, hold_s=2.5),),
        endpoints=(EndpointName(match="GET /a/*", name="GET /a"),),
    )
    return a_run(
        fingerprint=a_fingerprint(machine=machine, plan=plan),
        rounds=(measured,),
        incidents=("the base was slow to start",),
        census=dict.fromkeys(Side, census),
        committed=dict.fromkeys(Side, committed),
        seed_digests=dict.fromkeys(Side, ("5eed",)),
        base_endpoints=("GET /old",),
        looks=LookPlan(first=3, most={RoundKind.DUET: 12}),
        folded=(Folded(endpoint="GET /{id}", names=7, because="larger answers"),),
        timings=(Timing(step=Step.SEED, block="3", began_s=12.5, seconds=1.5),),
        origin=Origin(tool="k6 0.55", file="summary.json"),
    )


def unset(value: object, place: str) -> Iterator[str]:
    """Every field below *value* that is empty or has its default."""
    if is_dataclass(value):
        for field in fields(value):
            inner: Any = getattr(value, field.name)
            default = field.default_factory() if field.default_factory is not MISSING else field.default
            if inner == default or (isinstance(inner, tuple | Mapping) and not inner):
                yield f"{place}.{field.name}"
            yield from unset(inner, f"{place}.{field.name}")
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from unset(inner, f"{place}[{key}]")
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from unset(inner, f"{place}[{number}]")


def test_every_field_of_a_run_is_kept(tmp_path: Path) -> None:
    """Whoever adds a field to the model gives it to the format, too, and to the run of this test."""
    run = a_full_run()
    assert list(unset(run, "run")) == []
    store.save(run, tmp_path / "run.json")
    assert store.load(tmp_path) == run


@stored
class Shop:
    """A document of the third schema: names in one list, and where they come from."""

    names: tuple[str, ...]
    origin: str


def _named_list(fields: dict[str, Any]) -> dict[str, Any]:
    return {"names": fields["list"]}


def _with_origin(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "origin": "unknown"}


def test_each_member_of_an_enumeration_needs_a_word() -> None:
    """Whoever adds a side to the model gives it a word in each format; the same word for two would lose one of them."""
    assert Vocabulary({Side.BASE: "b", Side.CANDIDATE: "c"}).member("c") is Side.CANDIDATE
    for words in ({Side.BASE: "b"}, {Side.BASE: "b", Side.CANDIDATE: "b"}):
        with pytest.raises(ValueError, match="each Side needs a word of its own"):
            Vocabulary(words)


SHOP = Format("shop", Shop, schema=3, migrations={1: _named_list, 2: _with_origin})


@pytest.mark.parametrize(
    ("content", "origin"),
    [
        ({"schema": 1, "list": ["a", "b"]}, "unknown"),
        ({"schema": 2, "names": ["a", "b"]}, "unknown"),
        ({"schema": 3, "names": ["a", "b"], "origin": "here"}, "here"),
    ],
)
def test_each_number_leads_to_the_next(content: dict[str, Any], origin: str) -> None:
    """A document of any earlier schema number becomes one of today's, one step after the other."""
    before = json.dumps(content)
    assert SHOP.read(content, where="shop.json") == Shop(names=("a", "b"), origin=origin)
    assert json.dumps(content) == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"schema": 1, "names": []}, "shop.json is no shop of schema 1, which it says it is"),
        ({"schema": 2, "names": 4}, "  names: input should be a valid tuple (got 4)"),
        ({"schema": 2, "names": [], "comment": ""}, "  comment: unknown key"),
        ({"schema": 4}, "shop.json has schema 4, this perfci reads 1, 2, 3"),
        ({"schema": 0}, "shop.json has schema 0, this perfci reads 1, 2, 3"),
        ({"schema": 3, "perfci": 1, "names": [], "origin": ""}, "perfci has to be the version"),
    ],
)
def test_what_is_no_document_of_its_number_is_refused(content: dict[str, Any], message: str) -> None:
    """Before, after or without a migration: one message, with the next step."""
    with pytest.raises(ResultError) as caught:
        SHOP.read(content, where="shop.json")
    assert message in str(caught.value)
    assert caught.value.hint


def test_a_run_of_an_earlier_schema_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if there had been a schema 0 that called the time of a run `time`, and knew no incidents."""

    def from_zero(old: dict[str, Any]) -> dict[str, Any]:
        return {**{key: value for key, value in old.items() if key != "time"}, "created_at": old["time"]}

    run = a_run()
    store.save(run, tmp_path / "run.json")
    content = json.loads((tmp_path / "run.json").read_text()) | {"schema": 0, "time": run.created_at}
    del content["created_at"], content["incidents"]
    (tmp_path / "run.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match="has schema 0, this perfci reads 1"):
        store.load(tmp_path)
    monkeypatch.setattr(runs, "FORMAT", Format("run", RunDocument, schema=1, migrations={0: from_zero}))
    assert store.load(tmp_path) == run


NEWER = "99.1.0rc1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema": 2}, "has schema 2, this perfci reads 1"),
        ({"mood": "calm"}, "mood: unknown key"),
        ({"rounds": "none"}, "rounds: input should be a valid tuple"),
    ],
)
@pytest.mark.parametrize(
    ("writer", "newer"), [(NEWER, True), (__version__, False), ("0.0.1", False), ("", False), ("99; rm", False)]
)
def test_what_a_newer_perfci_wrote_asks_for_it(
    tmp_path: Path, change: dict[str, Any], reason: str, writer: str, newer: bool
) -> None:
    """Where the file cannot be read, and only where its writer is newer; the reason is there in any case."""
    file = tmp_path / "run.json"
    store.save(a_run(), file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"perfci": writer} | change))
    with pytest.raises(ResultError) as caught:
        store.load(file)
    message = f"{file} was written by perfci {writer}, this is {__version__}"
    assert (message in str(caught.value)) is newer
    assert (caught.value.hint == "update perfci, or record anew") is newer
    assert reason in str(caught.value)
    assert caught.value.exit_code is ExitCode.USAGE


def test_what_a_newer_perfci_wrote_is_read_where_it_can_be(tmp_path: Path) -> None:
    """Its version alone is no reason to refuse it."""
    file = tmp_path / "run.json"
    store.save(a_run(), file)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"perfci": NEWER}))
    assert store.load(file) == a_run()


def test_a_result_of_a_newer_perfci_asks_for_it() -> None:
    """In one line, as everything that is said of a stranger's file."""
    content = json.loads(render("json", an_outcome())) | {"perfci": NEWER, "schema_version": 2}
    with pytest.raises(ResultError) as caught:
        result_json.read(json.dumps(content).encode())
    assert str(caught.value) == (
        f"result.json was written by perfci {NEWER}, this is {__version__}"
        ": result.json has schema 2, this perfci reads 1"
    )
    assert caught.value.hint == "update perfci, or record anew"


@pytest.mark.parametrize("version", ["::error::x", "1.0\n##[error]", 7, None, ["1"], {}])
def test_a_version_that_is_none_is_not_repeated(version: object) -> None:
    """It is the stranger's text."""
    content = json.loads(render("json", an_outcome())) | {"perfci": version, "schema_version": 2}
    with pytest.raises(ResultError) as caught:
        result_json.read(json.dumps(content).encode())
    assert "error" not in str(caught.value)
