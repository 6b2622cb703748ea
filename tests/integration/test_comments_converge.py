"""Runs that publish at once, over real HTTP: one comment at the end, the newest, whatever their order."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perfci.publish.comment import CommentResult, Status
from perfci.publish.conversation import Marker
from perfci.publish.patience import Patience
from tests.fakes.github import FakeGitHub, Pull
from tests.integration.test_publish_comment import HEAD, OLD, a_job, marker, say

LIST = ("GET", r"/issues/7/comments$")
CREATE = ("POST", r"/issues/7/comments$")
EDIT = ("PATCH", r"/issues/comments/\d+$")
DELETE = ("DELETE", r"/issues/comments/\d+$")


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as server:
        yield server


def publish(api: FakeGitHub, run: int, **changes: Any) -> CommentResult:
    """One run's comment, with real waits."""
    return say(a_job(api, run_id=run, **changes), f"## Run {run}", patience=Patience(20))


def together(api: FakeGitHub, runs: Sequence[int]) -> dict[int, CommentResult]:
    """Each run in a thread of its own."""
    with ThreadPoolExecutor(len(runs)) as pool:
        return dict(zip(runs, pool.map(lambda run: publish(api, run), runs), strict=True))


def written(api: FakeGitHub) -> list[str]:
    """The comments as they are, each without its marker."""
    return [comment.body.partition("\n")[2] for comment in api.comments]


@pytest.mark.parametrize("runs", [(100, 101), (101, 100), (102, 100, 101), (100, 101, 102, 103, 104)])
@pytest.mark.parametrize("created", [False, True], ids=["all-see-none", "all-have-created"])
def test_first_comments_at_once(api: FakeGitHub, runs: tuple[int, ...], *, created: bool) -> None:
    """Runs that all see no comment, or have all created theirs before any looks again, leave the newest one's alone."""
    api.gather(*LIST, len(runs))
    if created:
        api.gather(*CREATE, len(runs))
    results = together(api, runs)
    assert written(api) == [f"## Run {max(runs)}"]
    assert api.comments[0].id == 1001
    assert results[max(runs)].status in {Status.CREATED, Status.UPDATED}
    assert {result.status for result in results.values()} <= {Status.CREATED, Status.UPDATED, Status.SKIPPED}
    assert [result.warning for result in results.values() if result.warning] == []


@pytest.mark.parametrize("runs", [(100, 101), (101, 100), (101, 102, 100)])
@pytest.mark.parametrize("late", [100, 101, 102])
def test_must_11_updates_at_once(api: FakeGitHub, runs: tuple[int, ...], late: int) -> None:
    """Runs that all see the same earlier comment leave the newest one's text, whichever edit comes last."""
    api.add_comment(7, marker(run=99, sha=OLD))
    api.gather(*LIST, len(runs))
    api.gather(*EDIT, len(runs))
    api.fail(*EDIT, body=f"run={late} ", delay_s=0.3, times=1)
    together(api, runs)
    assert written(api) == [f"## Run {max(runs)}"]


def test_an_edit_that_was_on_its_way(api: FakeGitHub) -> None:
    """A run looks once more a moment after its edit, and writes again over an older run's text."""
    comment = api.add_comment(7, marker(run=99, sha=OLD))
    rests: list[float] = []

    def sleep(seconds: float) -> None:
        if not rests:
            comment.body = f"{marker(run=100, sha=HEAD)}\n## Run 100"
        rests.append(seconds)

    result = say(a_job(api, run_id=101), "## Run 101", patience=Patience(20, sleep=sleep))
    assert (result.status, written(api), rests) == (Status.UPDATED, ["## Run 101"], [1.0, 1.0])


def test_a_comment_that_comes_after_all(api: FakeGitHub) -> None:
    """A run whose creation takes until a newer run is done deletes its own comment."""
    api.fail(*CREATE, body="run=100 ", delay_s=6.0)
    with ThreadPoolExecutor(1) as pool:
        late: Future[CommentResult] = pool.submit(publish, api, 100)
        while not api.sent("POST"):
            time.sleep(0.01)
        assert publish(api, 101).status is Status.CREATED
        assert late.result().status is Status.SKIPPED
    assert written(api) == ["## Run 101"]


@pytest.mark.parametrize("runs", [(100, 101), (101, 100)])
def test_an_edit_that_comes_before_the_other_looks(api: FakeGitHub, runs: tuple[int, int]) -> None:
    """A run that created its comment, and finds a newer run's text in it, leaves it."""
    api.gather(*CREATE, 2)
    api.fail(*DELETE, delay_s=0.2)
    together(api, runs)
    assert written(api) == ["## Run 101"]


@pytest.mark.parametrize("earlier", [None, marker(run=99, sha=OLD)])
def test_a_push_between_look_and_write(api: FakeGitHub, earlier: str | None) -> None:
    """A run whose commit stops being the head after it looked writes nothing: the head is asked right before."""
    if earlier:
        api.add_comment(7, earlier)
    api.gather(*LIST, 2)
    with ThreadPoolExecutor(1) as pool:
        outdated: Future[CommentResult] = pool.submit(publish, api, 100)
        while api.gatherings[0].left == 2:
            time.sleep(0.01)
        api.pulls = {7: Pull(number=7, sha=OLD)}
        api.gatherings[0].barrier.wait()
        assert outdated.result().status is Status.SKIPPED
    assert [comment.body for comment in api.comments] == ([earlier] if earlier else [])


def test_a_run_that_died_half_way(api: FakeGitHub) -> None:
    """What a killed run left behind is put in order by the next one."""
    for run in (100, 102, 101):
        api.add_comment(7, marker(run=run, sha=HEAD))
    assert publish(api, 103).status is Status.UPDATED
    assert written(api) == ["## Run 103"]
    assert api.comments[0].id == 1001


def test_a_comment_that_is_deleted_while_it_is_edited(api: FakeGitHub) -> None:
    """Somebody deletes the comment between look and edit: the run looks again and creates its own."""
    comment = api.add_comment(7, marker(run=99, sha=OLD))
    api.gather(*LIST, 2)
    with ThreadPoolExecutor(1) as pool:
        late: Future[CommentResult] = pool.submit(publish, api, 100)
        while api.gatherings[0].left == 2:
            time.sleep(0.01)
        api.comments.remove(comment)
        api.gatherings[0].barrier.wait()
        assert late.result().status is Status.CREATED
    assert written(api) == ["## Run 100"]


MARKERS = st.builds(
    marker,
    run=st.integers(90, 110),
    attempt=st.integers(1, 2),
    sha=st.sampled_from([HEAD, OLD]),
    key=st.sampled_from(["perf-smoke", "perf-smoke", "perf-large"]),
)
COMMENTS = st.lists(st.tuples(MARKERS, st.sampled_from(["github-actions[bot]", "github-actions[bot]", "mallory"])))


@settings(deadline=None, max_examples=60)
@given(comments=COMMENTS, run=st.integers(90, 110))
def test_any_state_converges(comments: list[tuple[str, str]], run: int) -> None:
    """From any comments, one run leaves its own or a newer run's, touches no other gate's; again changes nothing."""
    with FakeGitHub(pulls=[Pull(number=7, sha=HEAD)]) as api:
        for body, login in comments:
            api.add_comment(7, body, login=login)
        others = [c.body for c in api.comments if c.login == "mallory" or "perf-large" in c.body]
        first = say(a_job(api, run_id=run))
        ours = [c for c in api.comments if c.login != "mallory" and "perf-large" not in c.body]
        assert [c.body for c in api.comments if c not in ours] == others
        if first.status is Status.SKIPPED:
            of_head = [found for c in ours if (found := Marker.of(c.body)) and found.sha == HEAD]
            assert max((found.run, found.attempt) for found in of_head) > (run, 1)
        else:
            assert [c.body for c in ours] == [f"{marker(run=run, sha=HEAD)}\n## Regression"]
        before = [c.body for c in api.comments]
        assert say(a_job(api, run_id=run)).status in {Status.UNCHANGED, Status.SKIPPED}
        assert [c.body for c in api.comments] == before
