"""Data from outside becomes values, or one line for each thing that is wrong with it."""

import pytest

from perfci.errors import ConfigError, PerfciError, ResultError
from perfci.schema import Table, parse


class Inner(Table):
    """A table within another."""

    number: int


class Outer(Table):
    """A table."""

    name: str
    inner: tuple[Inner, ...] = ()
    share: float = 0.0


def _problems(data: object) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, data, where="here")
    return str(caught.value).splitlines()


def test_values_are_typed_and_frozen() -> None:
    """What passed can be relied on, and stays as it was."""
    parsed = parse(Outer, {"name": "x", "inner": [{"number": 1}]}, where="here")
    assert parsed == Outer(name="x", inner=(Inner(number=1),))
    with pytest.raises(ValueError, match="frozen"):
        parsed.name = "y"  # type: ignore[misc]  # that is what is tested


def test_each_problem_has_its_line() -> None:
    """The place within lists and tables, what is wrong, and the value."""
    problems = _problems({"inner": [{"number": 1}, {"number": "one", "nmber": 1}], "share": float("nan")})
    assert problems == [
        "here cannot be used, for 4 reasons:",
        "  name: is required",
        "  inner.1.number: input should be a valid integer, unable to parse string as an integer (got 'one')",
        "  inner.1.nmber: unknown key",
        "  share: input should be a finite number (got nan)",
    ]


def test_a_value_of_another_kind_altogether() -> None:
    """A list where a table should be is said of the top level."""
    head, line = _problems([])
    assert head == "here cannot be used:"
    assert line.startswith("  (top level): ")


def test_a_long_value_is_shortened() -> None:
    """A page of text is no evidence that anybody reads."""
    line = _problems({"name": "x", "share": "y" * 500})[1]
    assert line.endswith("yyy...)")
    assert len(line) < 200


def test_the_caller_chooses_the_error() -> None:
    """Whose data it was decides what kind of failure it is."""
    with pytest.raises(ResultError, match="here"):
        parse(Outer, {}, where="here", error=ResultError)
    assert issubclass(ResultError, PerfciError)
