"""Runs that are hard to compare, judged by `perfci compare`: nothing is red that was not shown."""

import json
from collections.abc import Callable
from dataclasses import replace
from math import log2
from pathlib import Path

import pytest

from perfci import store
from perfci.model import Answers, Round, Run, Side, Verdict
from tests.builders import ENDPOINTS, a_paired_run, some_endpoints
from tests.fakes.shell import Perfci
from tests.faults import Fault, fault

MORE = "Measure again with more blocks, or on a quieter machine."


def _changed(level: Callable[[Round], float]) -> Run:
    """Both sides alike, but for every latency of a round times its level."""
    run = a_paired_run()
    rounds = []
    for round_ in run.rounds:
        factor = level(round_)
        endpoints = {
            name: replace(
                seen,
                values={
                    metric: value if metric in {"failure_rate", "throughput"} else value * factor
                    for metric, value in seen.values.items()
                },
            )
            for name, seen in round_.endpoints.items()
        }
        rounds.append(replace(round_, endpoints=endpoints))
    return replace(run, rounds=tuple(rounds))


def _sides(base: dict[str, float], candidate: dict[str, float]) -> Run:
    run = a_paired_run()
    of = {Side.BASE: base, Side.CANDIDATE: candidate}
    rounds = tuple(
        replace(round_, endpoints=some_endpoints(kind=round_.kind, typical=of[round_.side])) for round_ in run.rounds
    )
    return replace(run, rounds=rounds)


def _answered(size: dict[Side, int]) -> Run:
    """One endpoint answers with bodies of one size on each side."""
    run = a_paired_run()
    said = {
        side: Answers(statuses={200: 400}, sizes={1 + int(4 * log2(of)): 400}, median_bytes=of)
        for side, of in size.items()
    }
    return replace(
        run, rounds=tuple(replace(round_, answers={"GET /tickets/": said[round_.side]}) for round_ in run.rounds)
    )


def _few() -> Run:
    run = a_paired_run()
    rounds = tuple(replace(round_, endpoints=some_endpoints(kind=round_.kind, requests=8)) for round_ in run.rounds)
    return replace(run, rounds=rounds)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(
            lambda: _sides(dict(ENDPOINTS), {**ENDPOINTS, "GET /new": 9.0}),
            marks=fault(
                "comparing",
                "endpoint only on one side",
                seen="GET /new…not compared",
                exit=0,
                verdict=Verdict.PASS,
            ),
        ),
        pytest.param(
            lambda: _sides({"GET /old": 4.0}, {"GET /new": 4.0}),
            marks=fault(
                "comparing",
                "all endpoints on one side",
                seen="The candidate got no request to GET /old; the reference did",
                then="See the findings above the table",
                exit=0,
                verdict=Verdict.INCONCLUSIVE,
            ),
        ),
        pytest.param(
            lambda: _answered({Side.BASE: 4000, Side.CANDIDATE: 12}),
            marks=fault(
                "comparing",
                "answers became smaller",
                seen="GET /tickets/: the candidate's answers are 99.7 % smaller",
                then="`accept_answers = …` in the `[gate]` of the base",
                exit=0,
                verdict=Verdict.INCONCLUSIVE,
            ),
        ),
        pytest.param(
            _few,
            marks=fault(
                "comparing",
                "too few requests for the quantile",
                seen="too few requests: 8 …",
                then="Make rounds longer, use more users",
                exit=0,
                verdict=Verdict.INCONCLUSIVE,
            ),
        ),
        pytest.param(
            lambda: _changed(lambda round_: 1.6 if (round_.block + (round_.side is Side.BASE)) % 2 else 1.0),
            marks=fault(
                "comparing",
                "bimodal rounds",
                seen="inconclusive",
                then=MORE,
                exit=0,
                verdict=Verdict.INCONCLUSIVE,
            ),
        ),
        pytest.param(
            lambda: _changed(lambda round_: 3.0 if round_.block == 5 and round_.side is Side.CANDIDATE else 1.0),
            marks=fault(
                "comparing",
                "one outlier round",
                seen="inconclusive",
                then="more blocks would settle it",
                exit=0,
                verdict=Verdict.INCONCLUSIVE,
            ),
        ),
        pytest.param(
            lambda: _changed(lambda round_: 1.0 + 0.1 * round_.block),
            marks=fault(
                "comparing",
                "drift during the run",
                seen="No regression against …",
                exit=0,
                verdict=Verdict.PASS,
            ),
        ),
    ],
)
def test_what_is_hard_to_compare_is_not_red(
    perfci: Perfci, tmp_path: Path, expected: Fault, run: Callable[[], Run]
) -> None:
    """With a verdict that claims no more than is known."""
    store.save(run(), tmp_path / "run.json")
    code, out, err = perfci("compare", "run.json", "--verbose")
    expected.check(code=code, text=out + err)
    assert json.loads(perfci("compare", "run.json", "--json")[1])["verdict"] == expected.verdict
