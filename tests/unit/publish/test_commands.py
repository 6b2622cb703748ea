"""Commands in comments: which lines are some, and what they say."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from perfci.publish.commands import Accept, Command, accepted_in, commands_in

HEAD = "f00dfeed" * 5


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/perf run", [Command(word="run")]),
        ("  /perf   RUN  shop:smoke  ", [Command(word="run", text="shop:smoke")]),
        ("please\r\n/perf run\r\n/perf accept x", [Command(word="run"), Command(word="accept", text="x")]),
        ("say /perf run", []),
        ("/perfect run", []),
        ("/perf", []),
        ("> /perf run", []),
        ("```\n/perf run\n```\n/perf stop", [Command(word="stop")]),
        ("~~~text\n```\n/perf run\n~~~", []),
        ("    /perf run", []),
        ("````\n```\n/perf run\n````", []),
        ("", []),
    ],
)
def test_a_command_is_a_line_of_its_own(body: str, expected: list[Command]) -> None:
    """A line in a code block or a quotation shows a command, and gives none."""
    assert commands_in(body) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"/perf accept GET /tickets/ p95 at {HEAD}", Accept(series="GET /tickets/ p95", commit=HEAD)),
        (f"/perf accept `GET /a p95` at `{HEAD}`: audit", Accept(series="GET /a p95", commit=HEAD, why="audit")),
        (
            f"The audit costs it.\n/perf accept a p95 at {HEAD}",
            Accept(series="a p95", commit=HEAD, why="The audit costs it."),
        ),
        (f"/perf accept look at it p95 at {HEAD} ", Accept(series="look at it p95", commit=HEAD)),
        ("/perf accept GET /a p95", Accept(series="GET /a p95")),
        (f"/perf accept GET /a p95 at {HEAD[:39]}", Accept(series=f"GET /a p95 at {HEAD[:39]}")),
        (f"/perf accept GET /a p95 at {HEAD}1", Accept(series=f"GET /a p95 at {HEAD}1")),
        (f"/perf accept GET /@\u200bme p95 at {HEAD}", Accept(series="GET /@me p95", commit=HEAD)),
    ],
)
def test_an_acceptance_names_series_and_commit(body: str, expected: Accept) -> None:
    """Only a full hash binds it: of a shorter one somebody else can make another commit."""
    assert accepted_in(body) == [expected]


@given(some.text(), some.text())
def test_any_text_is_read(before: str, after: str) -> None:
    """Whatever stands in a comment, reading it ends, and what is read is one visible line."""
    for each in accepted_in(f"{before}\n/perf accept {after} at {HEAD} {before}"):
        for text in (each.series, each.why):
            assert text == " ".join(text.split())
            assert len(text) <= 400
