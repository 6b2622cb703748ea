"""Stored runs that are damaged, strange or of another kind, judged by `perfci compare`."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from perfci import store
from perfci.errors import ExitCode
from perfci.model import Baseline, RoundKind, Run, Side, Verdict
from perfci.pipeline import compare as pipeline
from tests.builders import a_baseline, a_fingerprint, a_machine, a_paired_run, a_plan, a_run, some_rounds
from tests.fakes.shell import Perfci
from tests.faults import Fault, fault

USAGE = ExitCode.USAGE
DAMAGED = "the file is damaged or truncated: measure again, or restore it"
EXPLAIN = "Numbers behind the worst: perfci compare RUN --explain '…'"
ALIKE = "Measure and accept a run under these conditions."
ONE_SIDE: dict[str, Any] = {"kinds": (RoundKind.LOAD,), "sides": (Side.CANDIDATE,)}


def _nan(text: str) -> str:
    return re.sub(r'"duration_s": [\d.]+', '"duration_s": NaN', text)


def _infinite(text: str) -> str:
    return re.sub(r'"duration_s": [\d.]+', '"duration_s": 1e999', text)


def _negative(text: str) -> str:
    return re.sub(r'"failures": 0', '"failures": -1', text)


def _schema(text: str) -> str:
    return re.sub(r'"schema": \d+', '"schema": 99', text)


def _twice(text: str) -> str:
    return text.replace('"GET /tickets/[id]": {', '"GET /tickets/": {')


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(
            lambda _: "", marks=fault("results", "empty file", seen="run.json is not JSON: …", then=DAMAGED, exit=USAGE)
        ),
        pytest.param(
            lambda text: text[: len(text) // 2],
            marks=fault("results", "truncated file", seen="run.json is not JSON: …", then=DAMAGED, exit=USAGE),
        ),
        pytest.param(
            lambda _: "<html>404</html>",
            marks=fault("results", "not JSON", seen="run.json is not JSON: …", then=DAMAGED, exit=USAGE),
        ),
        pytest.param(
            _schema,
            marks=fault(
                "results",
                "another schema version",
                seen="run.json has schema 99, this perfci reads …",
                then="use the perfci that wrote it, or record anew",
                exit=USAGE,
            ),
        ),
        pytest.param(
            _nan,
            marks=fault(
                "results",
                "numbers that are none (NaN, infinite)",
                case="NaN",
                seen="run.json is not JSON: NaN is no measured number",
                then=DAMAGED,
                exit=USAGE,
            ),
        ),
        pytest.param(
            _infinite,
            marks=fault(
                "results",
                "numbers that are none (NaN, infinite)",
                case="infinite",
                seen="run.json cannot be used…: input should be a finite number (got inf)",
                then=DAMAGED,
                exit=USAGE,
            ),
        ),
        pytest.param(
            _negative,
            marks=fault(
                "results",
                "negative counts",
                seen="run.json: '…' counts -1 failures of … requests",
                then=DAMAGED,
                exit=USAGE,
            ),
        ),
        pytest.param(
            _twice,
            marks=fault(
                "results",
                "duplicate endpoints",
                seen="run.json is not JSON: 'GET /tickets/' is there twice",
                then=DAMAGED,
                exit=USAGE,
            ),
        ),
    ],
)
@pytest.mark.parametrize("where", ["result", "baseline"])
def test_a_damaged_file_is_named(
    perfci: Perfci, tmp_path: Path, expected: Fault, where: str, damage: Callable[[str], str]
) -> None:
    """Wherever it is met, as the run that is judged or as one that it is compared with."""
    good, bad = tmp_path / "good.json", tmp_path / "stored" / "run.json"
    store.save(a_run(), good)
    store.save(a_run(), bad)
    bad.write_text(damage(bad.read_text()))
    arguments = (str(good), str(bad)) if where == "result" else (str(bad), str(good))
    code, out, err = perfci("compare", *arguments)
    expected.check(code=code, text=err)
    assert out == ""


def _without_scatter() -> Baseline:
    rounds = some_rounds(blocks=4, scatter=0.0, **ONE_SIDE)
    return Baseline(location="x", runs=tuple(replace(run, rounds=rounds) for run in a_baseline(runs=4).runs))


def _failing(share: float) -> Run:
    """One round of four fails this share of its requests."""
    run = a_run()
    endpoints = {
        name: replace(seen, failures=int(share * seen.requests), values={**seen.values, "failure_rate": share})
        for name, seen in run.rounds[0].endpoints.items()
    }
    return replace(run, rounds=tuple(replace(round_, endpoints=endpoints) for round_ in run.rounds))


STRANGE = [
    pytest.param(
        lambda: a_run(profile="other"),
        a_baseline,
        marks=fault(
            "results",
            "another profile's baseline",
            seen="Times are not compared: every stored run has another profile or scenario",
            then=ALIKE,
            exit=0,
            verdict=Verdict.INCONCLUSIVE,
        ),
    ),
    pytest.param(
        lambda: a_run(fingerprint=a_fingerprint(machine=a_machine(cpu_model="Another CPU"))),
        a_baseline,
        marks=fault(
            "results",
            "another machine's baseline",
            seen="Times are not compared: every stored run has another CPU model",
            then=ALIKE,
            exit=0,
            verdict=Verdict.INCONCLUSIVE,
        ),
    ),
    pytest.param(
        lambda: a_run(fingerprint=a_fingerprint(seed_digest="another")),
        a_baseline,
        marks=fault(
            "results",
            "another seed's baseline",
            seen="Times are not compared: every stored run has another seed",
            then=ALIKE,
            exit=0,
            verdict=Verdict.INCONCLUSIVE,
        ),
    ),
    pytest.param(
        lambda: a_run(fingerprint=a_fingerprint(plan=a_plan(users=20))),
        a_baseline,
        marks=fault(
            "results",
            "another load plan's baseline",
            seen="Times are not compared: every stored run has another load plan",
            then=ALIKE,
            exit=0,
            verdict=Verdict.INCONCLUSIVE,
        ),
    ),
    pytest.param(
        lambda: a_paired_run(scatter=0.0),
        None,
        marks=fault(
            "results",
            "zero variance",
            case="every round alike",
            seen="No regression against …",
            exit=0,
            verdict=Verdict.PASS,
        ),
    ),
    pytest.param(
        lambda: a_run(rounds=some_rounds(blocks=4, scatter=0.0, level=2.0, **ONE_SIDE)),
        _without_scatter,
        marks=fault(
            "results",
            "zero variance",
            case="every stored run alike, and now twice as slow",
            seen="% slower",
            then=EXPLAIN,
            exit=10,
            verdict=Verdict.REGRESSION,
        ),
    ),
    pytest.param(
        lambda: a_paired_run(blocks=1),
        None,
        marks=fault(
            "results",
            "one round only",
            case="one block of both sides",
            seen="1 usable block: at least 2 are needed",
            then="Measure again with more blocks",
            exit=0,
            verdict=Verdict.INCONCLUSIVE,
        ),
    ),
    pytest.param(
        lambda: a_run(rounds=some_rounds(blocks=1, **ONE_SIDE)),
        lambda: a_baseline(runs=8, scatter=0.01),
        marks=fault(
            "results",
            "one round only",
            case="beside eight stored runs",
            seen="No regression against 8 runs",
            exit=0,
            verdict=Verdict.PASS,
        ),
    ),
    pytest.param(
        a_run,
        lambda: a_baseline(runs=8, scatter=0.01),
        marks=fault(
            "results",
            "error rate 0 in every baseline run",
            case="and now",
            seen="No regression against 8 runs",
            exit=0,
            verdict=Verdict.PASS,
        ),
    ),
    pytest.param(
        lambda: _failing(0.2),
        lambda: a_baseline(runs=8, scatter=0.01),
        marks=fault(
            "results",
            "error rate 0 in every baseline run",
            case="and now 20 %",
            seen="fails more often",
            then=EXPLAIN,
            exit=10,
            verdict=Verdict.REGRESSION,
        ),
    ),
    pytest.param(
        lambda: a_paired_run(typical={f"GET /{n}": 4.0 for n in range(5000)}, blocks=4, kinds=(RoundKind.DUET,)),
        None,
        marks=[
            pytest.mark.no_cover,  # the trace would take twice as long as the comparison
            fault(
                "results",
                "5,000 endpoints",
                seen="more series: --verbose shows them",
                exit=0,
                verdict=Verdict.PASS,
            ),
        ],
    ),
    pytest.param(
        lambda: a_paired_run(typical={f"GET /{'x' * 10_000}": 4.0, "GET /y": 3.0}),
        None,
        marks=fault("results", "names of 10 kB", seen="…/xxx…", exit=0, verdict=Verdict.PASS),
    ),
]


@pytest.fixture
def judging_once(perfci: Perfci, monkeypatch: pytest.MonkeyPatch) -> Perfci:
    """The program; what it has judged once it only shows in another format."""
    monkeypatch.setattr(pipeline, "compare", cache(pipeline.compare))
    return perfci


@pytest.mark.parametrize(("run", "baseline"), STRANGE)
def test_what_is_strange_but_whole_is_judged(
    judging_once: Perfci,
    tmp_path: Path,
    expected: Fault,
    run: Callable[[], Run],
    baseline: Callable[[], Baseline] | None,
) -> None:
    """With a verdict that claims no more than is known, in a report of bounded length."""
    store.save(run(), tmp_path / "run.json")
    stored = baseline().runs if baseline else ()
    for run_ in stored:
        store.save(run_, tmp_path / "stored" / f"{run_.id}.json")
    paths = ("stored", "run.json") if stored else ("run.json",)
    code, out, err = judging_once("compare", *paths)
    expected.check(code=code, text=out + err)
    assert len(out) < 8_000
    code, out, _ = judging_once("compare", *paths, "--json")
    assert json.loads(out)["verdict"] == expected.verdict
    assert len(out) <= 2**20
