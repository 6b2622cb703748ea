"""No literal of a statement is ever shown, whatever the text looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.judge.census.statements import masked, merged, short
from tests.builders import a_statement, a_tally


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("SELECT a FROM t WHERE b = 'x' AND c = 12", "", "SELECT a FROM t WHERE b = ? AND c = ?"),
        ("SELECT a FROM t1 WHERE b2 = $1 LIMIT $2::int", "", "SELECT a FROM t1 WHERE b2 = ? LIMIT ?::int"),
        ("SELECT a FROM t WHERE b IN ($1, $2,\n $3)", "", "SELECT a FROM t WHERE b IN (?)"),
        ("INSERT INTO t (a, b) VALUES ($1,$2), ($3,$4)", "", "INSERT INTO t (a, b) VALUES (?)"),
        ("SELECT a /* user=bob */ FROM t -- 'bob\n WHERE b = 1.5e3", "", "SELECT a FROM t WHERE b = ?"),
        ("/* it's */ SELECT 'secret' /* it's */", "", "SELECT ?"),
        ("SELECT '/*' , a FROM t WHERE b = '*/'", "", "SELECT ? , a FROM t WHERE b = ?"),
        (r"SELECT E'it\'s secret' FROM t WHERE b = 'x'", "", "SELECT E?"),
        (r"SELECT 'a\' , 'secret'", "", "SELECT ?"),
        ("SELECT 'secret without an end", "", "SELECT ?"),
        ("SELECT $$secret$$, $t$se$$cret$t$ FROM x", "", "SELECT ? FROM x"),
        ('SELECT "users"."id" FROM "users"', "postgresql", 'SELECT "users"."id" FROM "users"'),
        ('SELECT a FROM t WHERE b = "secret" # secret', "mysql", "SELECT a FROM t WHERE b = ?"),
        (
            "SELECT a FROM t WHERE b = %s AND c = :name AND d = @e",
            "",
            "SELECT a FROM t WHERE b = ? AND c = ? AND d = ?",
        ),
        ("GET", "redis", "GET"),
    ],
)
def test_masked(text: str, kind: str, shown: str) -> None:
    """Strings, numbers, parameters and comments go; names stay."""
    assert masked(text, kind) == shown


@given(st.text("'\"\\$/*-# ab", max_size=30), st.sampled_from(["", "mysql"]))
def test_a_string_never_leaks(before: str, kind: str) -> None:
    """What stands in a string that was begun outside of any other one is gone, whatever follows it."""
    for after in ("", before, "'", "\\'", "*/"):
        assert "secret" not in masked(f"SELECT 'secret' {after}", kind)


@given(st.text(max_size=200))
def test_masking_ends_and_settles(text: str) -> None:
    """Any text can be masked, in one line; what is masked stays as it is."""
    once = masked(text)
    assert "\n" not in once
    assert len(once) <= len(text) + 1
    assert masked(once) == once


def test_short() -> None:
    """A long list of columns is the least interesting part of a statement."""
    columns = ", ".join(f"tickets.column_{number}" for number in range(40))
    assert short(" ".join(["SELECT", columns, "FROM tickets WHERE id = ?"])) == "SELECT … FROM tickets WHERE id = ?"
    assert short("SELECT id FROM tickets") == "SELECT id FROM tickets"
    assert len(short("x" * 1000, 50)) == 50


def test_the_same_text_is_one_statement() -> None:
    """Spellings that differ in literals, spaces or the length of a list are summed; other sources are not."""
    texts = ["SELECT a FROM t WHERE b IN ($1)", "SELECT a  FROM t WHERE b IN ($1, $2)", "SELECT b FROM t"]
    found = merged([a_statement(text, calls=2, rows=3) for text in texts])
    assert [(statement.text, statement.calls, statement.rows) for statement in found] == [
        ("SELECT a FROM t WHERE b IN (?)", a_tally(4.0), a_tally(6.0)),
        ("SELECT b FROM t", a_tally(2), a_tally(3)),
    ]
