"""Data that does not come into the target, or not out of it, told by `perfci seed`; and in a whole run."""

from pathlib import Path

import pytest

from perfci.model import Verdict
from tests.fakes.shell import Perfci
from tests.fakes.toy_service import serving
from tests.faults import Fault, fault
from tests.faults.scenes import Scene, Stage

FUNCTION = '[seed]\nkind = "python"\ncall = "filling:fill"\ncounts = { tickets = 4 }\n'
FILLING = """
def fill(base_url, *, rng_seed, counts, clear_first):
    raise OSError("the disk is full")
"""
SEED = '[seed]\nkind = "http"\npath = "/test-data"\ncounts = { tickets = 4 }\n'
CLEAR = "seed with --clear-first, which removes the old data before it makes the new"


@pytest.mark.parametrize(
    ("toy", "calls"),
    [
        pytest.param(
            ["--refuse-seed"],
            [[]],
            marks=fault(
                "seed",
                "target refuses",
                seen='the target refused to be seeded: POST …/test-data answered 403: {"detail": "not here"}',
                then=CLEAR,
                exit=3,
            ),
        ),
        pytest.param(
            ["--unmarked"],
            [[]],
            marks=fault(
                "seed",
                "target refuses",
                case="it is not marked as a test target",
                seen="… is not marked as a test target, and seeding writes to it and may clear it",
                then="let it answer GET / with the header `Test-Target: true`, or say so: test_data = true in [seed]",
                exit=3,
            ),
        ),
        pytest.param(
            ["--half-seed", "loud"],
            [[]],
            marks=fault(
                "seed",
                "half done, then fails",
                case="with an error",
                seen='the target refused to be seeded: POST …/test-data answered 500: {"detail": "the disk is full"}',
                then=f"some of the data may be there now: {CLEAR}",
                exit=3,
            ),
        ),
        pytest.param(
            ["--half-seed", "silent"],
            [[]],
            marks=fault(
                "seed",
                "half done, then fails",
                case="in silence",
                seen="the target made less than it was asked for: 2 of 4 tickets",
                then="seed again with --clear-first",
                exit=3,
            ),
        ),
        pytest.param(
            [],
            [[], []],
            marks=fault("seed", "seeded twice", seen="the target holds test data already: …", then=CLEAR, exit=3),
        ),
        pytest.param(
            ["--refuse-clean"],
            [[], ["--clean"]],
            marks=fault(
                "seed",
                "clean-up fails",
                seen='the test data could not be removed: DELETE …/test-data answered 500: {"detail": "locked"}',
                then="start the target afresh; check clean_method and clean_path in [seed]",
                exit=3,
            ),
        ),
    ],
)
def test_a_seeding_that_fails(
    perfci: Perfci, tmp_path: Path, expected: Fault, toy: list[str], calls: list[list[str]]
) -> None:
    """Told with the target's own words; every call but the last succeeds."""
    (tmp_path / "perfci.toml").write_text(Scene(end=SEED).files()["perfci.toml"])
    with serving(*toy) as server:
        *before, last = [perfci("seed", server.url, *arguments) for arguments in calls]
    assert all(code == 0 for code, _, _ in before)
    code, out, err = last
    expected.check(code=code, text=err)
    assert out == ""


@fault(
    "seed",
    "clean-up fails",
    case="there is none",
    seen="nothing takes the data out again",
    then="perfci.toml has no clean in [seed]",
    exit=3,
)
def test_a_clean_up_that_nobody_wrote(perfci: Perfci, tmp_path: Path, expected: Fault) -> None:
    """It is not called done."""
    (tmp_path / "perfci.toml").write_text(Scene(end=FUNCTION).files()["perfci.toml"])
    with serving() as server:
        code, out, err = perfci("seed", server.url, "--clean")
    expected.check(code=code, text=err)
    assert out == ""


@pytest.mark.parametrize(
    "scene",
    [
        pytest.param(
            Scene(end=FUNCTION, more={"filling.py": FILLING}),
            marks=fault(
                "seed",
                "half done, then fails",
                case="by a function of the project",
                seen="the seeding command ended with 1: filling:fill in python3 …OSError: the disk is full",
                then="run it by hand against the running target; some of the data may be there now",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
        pytest.param(
            Scene(toy=("--half-seed", "loud"), end=SEED),
            marks=fault(
                "seed",
                "half done, then fails",
                case="in a run",
                seen="the target refused to be seeded: POST …/test-data answered 500: …the disk is full",
                then="some of the data may be there now",
                exit=3,
                verdict=Verdict.INVALID,
            ),
        ),
    ],
)
def test_a_run_ends_where_its_target_cannot_be_filled(stage: Stage, expected: Fault, scene: Scene) -> None:
    """Nothing was measured, and nothing is left running."""
    stage.of(scene).check(expected)
