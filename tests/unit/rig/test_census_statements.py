"""Statements are written alike, hold no data, and those that are nobody's work are told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.rig.census import statements


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("SELECT a,\n\t b FROM t  WHERE c = $1 ;", "SELECT a, b FROM t WHERE c = ?"),
        ("SELECT $2, f($1) FROM t1", "SELECT ?, f(?) FROM t1"),
        ("SELECT * FROM t WHERE a IN ($1, $2, $3)", "SELECT * FROM t WHERE a IN (...)"),
        ("SELECT * FROM t WHERE a IN ($1 /*, ... */)", "SELECT * FROM t WHERE a IN (...)"),
        ("SELECT * FROM t WHERE a IN ($1)", "SELECT * FROM t WHERE a IN (...)"),
        ("SELECT * FROM `t` WHERE `a` IN (...)", "SELECT * FROM `t` WHERE `a` IN (...)"),
        ("INSERT INTO t (a, b) VALUES ($1::INTEGER, $2::VARCHAR), ($3, DEFAULT)", "INSERT INTO t (a, b) VALUES (...)"),
        ("INSERT INTO `t` VALUES (...) /* , ... */ ", "INSERT INTO `t` VALUES (...)"),
        ("SELECT 1 /* traceparent='00-4bf9' */ FROM t -- user 7", "SELECT ? FROM t"),
        ("COMMENT ON TABLE t IS 'it''s\nsecret'", "COMMENT ON TABLE t IS ?"),
        ("ALTER USER a PASSWORD E'x\\'y' VALID UNTIL '2030'", "ALTER USER a PASSWORD ? VALID UNTIL ?"),
        (r"SELECT 'C:\', 'secret'", "SELECT ?, ?"),
        ("DO $x$ SELECT 'secret' $x$", "DO ?"),
        ("COPY t FROM 'never ended", "COPY t FROM ?"),
        ('SELECT "Col 1", t2.x FROM "t"', 'SELECT "Col 1", t2.x FROM "t"'),
        ("FETCH 100 FROM c", "FETCH ? FROM c"),
        ("", ""),
    ],
)
def test_equal_work_reads_equally(text: str, written: str) -> None:
    """Whatever database, version or driver wrote it; lists of any length; no literal."""
    assert statements.normal(text) == written


@given(st.one_of(st.text(max_size=300), st.text(alphabet="?(), $1'.VALUESIN;-/*:\"", max_size=60)))
def test_what_is_written_stays(text: str) -> None:
    """Writing it again changes nothing more, so that a stored text finds itself; it is one line."""
    once = statements.normal(text)
    assert statements.normal(once) == once
    assert "\n" not in once


@given(st.text(alphabet="abc'\\$-/* ", max_size=20))
def test_no_literal_gets_through(secret: str) -> None:
    """However it is quoted."""
    marked = f"XYZZY{secret}XYZZY"
    quoted = marked.replace("'", "''")
    assert "XYZZY" not in statements.normal(f"COMMENT ON TABLE t IS '{quoted}'")
    assert "XYZZY" not in statements.normal("SET x = E'" + quoted.replace("\\", "\\\\") + "'")


@pytest.mark.parametrize(
    "text",
    [
        *("BEGIN", "begin isolation level ?", "COMMIT", "ROLLBACK TO SAVEPOINT a", "RELEASE a", "SET x = ?", "SHOW x"),
        *("SELECT ?", "SELECT ? AS one", "SELECT version()", "select pg_catalog.version()", "SELECT SCHEMA ( )", ""),
    ],
)
def test_control_and_probes_are_no_work(text: str) -> None:
    """Of pools, health checks and drivers."""
    assert not statements.is_work(text)


@pytest.mark.parametrize(
    "text", ["SELECT ? FROM t", "SELECT f(?)", "ENDURE", "INSERT INTO begin VALUES (...)", "CALL p(?)"]
)
def test_the_rest_is_work(text: str) -> None:
    """Whatever asks something of the data."""
    assert statements.is_work(text)
