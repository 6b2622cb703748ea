"""The formats of stored files: every field is kept, and no file depends on a name of the model."""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from perfci import store
from perfci.model import (
    Arrivals,
    Census,
    CommittedCensus,
    CounterSource,
    EndpointCensus,
    EndpointRound,
    InStep,
    Run,
    Schedule,
    Side,
    Statement,
    TargetHealth,
)
from tests.builders import (
    a_fingerprint,
    a_gauge,
    a_generator,
    a_machine,
    a_plan,
    a_round,
    a_run,
    a_tally,
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
    generator = a_generator(
        users_kept=9,
        loop_lag_max_ms=8.5,
        clock_step_s=0.5,
        schedule=Schedule(due=9.5, late=3, missed=1.5, overslept=2, late_s=0.75),
        in_step=InStep(wait_s=1.5, dispersion=2.5),
    )
    measured = a_round(
        slices=4,
        endpoints={"GET /": seen},
        gauges={"api/cpu": replace(a_gauge(0.5, None, 1.5, unit="cores"), step_s=2)},
        generator=generator,
        target=TargetHealth(alive=False, restarts=1, note="killed"),
        errors={"GET /: 500": 1},
    )
    machine = a_machine(kind="container", image="ubuntu24", cpu_limit=1.5, memory_limit_mb=512)
    plan = a_plan(
        tags=("slow",),
        environment={"SHOP": "1"},
        processes=2,
        workers=3,
        arrivals=Arrivals(rate=2.5, pattern="poisson", rng_seed=7),
    )
    return a_run(
        fingerprint=a_fingerprint(machine=machine, plan=plan),
        rounds=(measured,),
        incidents=("the base was slow to start",),
        census=dict.fromkeys(Side, census),
        committed=dict.fromkeys(Side, committed),
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
