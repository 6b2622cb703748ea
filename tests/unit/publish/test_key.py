"""The key of a gate tells it from every other gate, and is equal for every run of it."""

import itertools
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.publish.key import MAX_KEY, Measured, former_key, key_of, slug

pytestmark = pytest.mark.kind("L")

JOB = {
    "GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/Perf Gate.yml@refs/pull/7/merge",
    "GITHUB_JOB": "smoke",
    "GITHUB_RUN_ID": "42",
    "GITHUB_RUN_ATTEMPT": "3",
    "GITHUB_SHA": "f00dfeed" * 5,
    "GITHUB_WORKSPACE": "/home/runner/work/shop/shop",
    "PERFCI_MATRIX": "null",
    "PERFCI_JOB_WORKFLOW": "octo/shop/.github/workflows/Perf Gate.yml@refs/pull/7/merge",
}
GATE = Measured(profile="tickets:smoke", config="perfci.toml", environment="ci")

# What artifacts may not hold in their names, and what would end a marker or its line.
FORBIDDEN = set('"<>|*?:\\/\r\n\0 ')


def key(environ: Mapping[str, str] | None = None, **measured: str) -> str:
    """The key of the gate, with some of the job's variables or of what it measures changed."""
    gate: dict[str, Any] = {"profile": GATE.profile, "config": GATE.config, "environment": GATE.environment}
    return key_of({**JOB, **(environ or {})}, Measured(**gate | measured))


def test_it_is_readable() -> None:
    """Workflow, job, profile and environment can be read; a digest at the end holds all that makes a gate."""
    assert key().startswith("perf-gate-smoke-tickets-smoke-ci-")
    assert len(key().rpartition("-")[2]) == 8


DIFFERENT = [
    key(),
    key(profile="tickets:heavy"),
    key(profile="tickets"),
    key(environment="staging"),
    key(environment=""),
    key(config="api/perfci.toml"),
    key({"GITHUB_JOB": "heavy"}),
    key({"GITHUB_WORKFLOW_REF": "octo/shop/.github/workflows/nightly.yml@refs/heads/main"}),
    key({"GITHUB_WORKFLOW_REF": "octo/policies/.github/workflows/Perf Gate.yml@refs/heads/main"}),
    key({"PERFCI_JOB_WORKFLOW": "octo/shop/.github/workflows/reusable.yml@refs/heads/main"}),
    key({"PERFCI_JOB_WORKFLOW": "octo/tools/.github/workflows/reusable.yml@v1"}),
    key({"PERFCI_MATRIX": '{"size": "s"}'}),
    key({"PERFCI_MATRIX": '{"size": "l"}'}),
    key({"GITHUB_JOB": "smoke-tickets"}, profile="smoke"),
    key({"GITHUB_JOB": "smoke"}, profile="tickets-smoke"),
]


def test_must_12_no_two_gates_share_a_key() -> None:
    """A change of any part gives another key, also where the readable parts are the same together."""
    assert len(set(DIFFERENT)) == len(DIFFERENT)


@pytest.mark.parametrize(
    "environ",
    [
        {"GITHUB_RUN_ID": "43"},
        {"GITHUB_RUN_ATTEMPT": "4"},
        {"GITHUB_SHA": "0" * 40},
        {"GITHUB_WORKFLOW_REF": JOB["GITHUB_WORKFLOW_REF"].replace("pull/7", "pull/8")},
        {"PERFCI_JOB_WORKFLOW": JOB["PERFCI_JOB_WORKFLOW"].replace("pull/7", "pull/8")},
        {"PERFCI_MATRIX": ""},
        {"PERFCI_MATRIX": "{}"},
    ],
)
def test_must_12_every_run_of_a_gate_has_its_key(environ: dict[str, str]) -> None:
    """Run, attempt, commit and ref are no part of it, nor is a matrix that is none."""
    assert key(environ) == key()


@pytest.mark.parametrize("config", ["./perfci.toml", "/home/runner/work/shop/shop/perfci.toml", "x/../perfci.toml"])
def test_one_configuration_has_one_name(config: str) -> None:
    """However its path is written, and wherever a runner keeps its workspace."""
    assert key(config=config) == key()


def test_the_order_of_a_matrix_is_no_difference() -> None:
    """The leg is what counts, not how it is written."""
    assert key({"PERFCI_MATRIX": '{"a": 1, "b": 2}'}) == key({"PERFCI_MATRIX": '{\n  "b": 2,\n  "a": 1\n}'})


def test_a_chosen_key_stands_for_all() -> None:
    """What somebody chose is taken as it is, where it can be."""
    assert key({"PERFCI_KEY": "api_2.smoke"}) == "api_2.smoke"
    assert key({"PERFCI_KEY": " API "}, profile="x") == "api"


def test_long_names_keep_their_digest() -> None:
    """Two gates whose names differ only where they are cut have different keys."""
    job = "a-very-long-name-of-a-job-" * 5
    first, second = key({"GITHUB_JOB": f"{job}1"}), key({"GITHUB_JOB": f"{job}2"})
    assert len(first) == len(second) == MAX_KEY
    assert first != second
    assert slug(f"{job}1") != slug(f"{job}2")


@given(text=st.text(max_size=300))
def test_slug(text: str) -> None:
    """A key cannot leave its marker, is a valid part of an artifact's name, and stays what it is when made again."""
    found = slug(text)
    assert 1 <= len(found) <= MAX_KEY
    assert found[0].isalnum()
    assert not set(found) & FORBIDDEN
    assert found.isascii()
    assert "--" not in found
    assert slug(found) == found


@pytest.mark.parametrize(
    "pair", list(itertools.combinations(["a/b", "a b", "a-b", "a--b", "-a-b", "größe", "gräße", ""], 2))
)
def test_no_two_texts_share_a_slug(pair: tuple[str, str]) -> None:
    """What had to be changed ends with a digest."""
    assert slug(pair[0]) != slug(pair[1])


@given(job=st.text(max_size=100), profile=st.text(max_size=100), environment=st.text(max_size=100), matrix=st.text())
def test_any_job_has_a_key(job: str, profile: str, environment: str, matrix: str) -> None:
    """Whatever stands in the variables."""
    found = key({"GITHUB_JOB": job, "PERFCI_MATRIX": matrix}, profile=profile, environment=environment)
    assert slug(found) == found


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "perf-gate-smoke"),
        ({"PERFCI_MATRIX": '{"size": "s"}'}, "perf-gate-smoke-be6bc83f"),
        ({"PERFCI_KEY": "Mono / api"}, "mono-api"),
        ({"PERFCI_KEY": "x" * 81}, ""),
    ],
)
def test_former_key(environ: dict[str, str], expected: str) -> None:
    """As it was made before it knew what is measured; one that was cut is nobody's."""
    assert former_key({**JOB, **environ}) == expected
