"""Every kind of finding and of reason has words, whatever its facts are."""

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import cycle, islice, product
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from perfci.model import Comparison, Decision, Finding, Metric, Reason, SloResult, Weight, WordedReason
from perfci.sentences import KINDS, REASONS
from perfci.sentences.headline import Red
from tests.builders import (
    a_comparison,
    a_decision,
    a_finding,
    a_metric,
    a_regression,
    a_slower_comparison,
    an_slo,
    an_slo_result,
)

ROOM = Path(__file__).parents[2] / "perfci/sentences"
EVERY = [kind for kinds in KINDS.values() for kind in kinds]
MOST = 300
"""Instances of a kind that are made: every value of every fact is in one of them."""

SIMPLE: Mapping[Any, Sequence[Any]] = {
    str: ("GET /tickets/", "GET /one", "recovery"),
    int: (3, 0, 1, 4711),
    float: (0.25, 0.0, 1.0, 0.996, 1234.5),
    bool: (True, False),
    NoneType: (None,),
    Comparison: (
        a_comparison(),
        a_slower_comparison(endpoint="GET /other"),
        a_comparison(change=None, note="no requests on one side"),
        a_comparison(metric="failure_rate"),
    ),
    Decision: (a_regression(), a_decision(comparison=a_slower_comparison(endpoint="GET /other"))),
    SloResult: (an_slo_result(), an_slo_result(slo=an_slo(endpoint="GET /other"), reason="0/8 rounds within 2 ms")),
    Finding: (a_finding(), a_finding(message="The target died")),
    Reason: (WordedReason("GET /tickets/ is slower"), WordedReason("GET /other is slower")),
    Metric: (a_metric("p95"), a_metric("failure_rate")),
}


def _named(kind: type[Any]) -> str:
    return f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"


def values(of: Any) -> Sequence[Any]:
    """Some values of the type of a fact: a number, a name, an enum, or a tuple of those, which is never empty."""
    if of in SIMPLE:
        return SIMPLE[of]
    if is_dataclass(of):
        return tuple(islice(instances(of), 40))
    if isinstance(of, type) and issubclass(of, Enum):
        return tuple(of)
    if get_origin(of) in {Union, UnionType}:
        return [value for each in get_args(of) for value in values(each)]
    assert get_origin(of) is tuple, f"a fact is a number, a name, an enum or a tuple of those, not {of}"
    first, *others = get_args(of)
    if others == [Ellipsis]:
        some = values(first)
        return [(some[0],), tuple(some[:2]), tuple(islice(cycle(some), 12))]
    return list(islice(product(values(first), *map(values, others)), MOST))


def instances(kind: Any) -> Iterator[Any]:
    """Instances of a dataclass: each fact has each of its values in one of them, and many have two of them changed."""
    hints = get_type_hints(kind)
    known = {each.name: values(hints[each.name]) for each in fields(kind)}
    first = kind(**{name: some[0] for name, some in known.items()})
    yield first
    for name, some in known.items():
        for value in some[1:]:
            yield replace(first, **{name: value})
    for facts in islice(product(*(some[::-1] for some in known.values())), MOST):
        yield kind(**dict(zip(known, facts, strict=True)))


def _words(found: Finding) -> tuple[Weight, str, str]:
    return found.weight, found.message, found.hint


def test_every_class_of_the_room_is_in_the_registry() -> None:
    """A class with a code that nobody registered would be a finding whose words no test reads."""
    with_code = [
        f"{file.stem}.{node.name}"
        for file in sorted(ROOM.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == "code" for part in node.body)
    ]
    assert sorted(map(_named, [*EVERY, *REASONS.values()])) == sorted(with_code)


@pytest.mark.parametrize("code", [*KINDS, *REASONS])
def test_a_code_is_kebab_case(code: str) -> None:
    """Codes are for programs, and stay."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)


@pytest.mark.parametrize("kind", EVERY, ids=_named)
def test_every_kind_has_words_for_any_facts(kind: type[Finding]) -> None:
    """A weight, a message, and a hint where there is one, each in plain text and without the types of Python."""
    for found in instances(kind):
        weight, message, hint = _words(found)
        assert weight in Weight
        assert message.strip()
        assert not re.search(r"\b(nan|inf|None|True|False|object at 0x)\b|[{}<]", message + hint)


@pytest.mark.parametrize("kind", REASONS.values(), ids=_named)
def test_every_reason_has_words_for_any_facts(kind: Any) -> None:
    """A sentence, or a part of one, in plain text and without the types of Python."""
    for because in instances(kind):
        text = str(because)
        assert text.strip() or kind is Red  # nothing is red
        assert not re.search(r"\b(nan|inf|None|True|False|object at 0x)\b|[{}<]", text)


@pytest.mark.parametrize("kind", [*EVERY, *REASONS.values()], ids=_named)
def test_every_fact_is_told(kind: Any) -> None:
    """No fact is carried along for nothing: another value of it makes other words, or another weight."""
    words: Callable[[Any], object] = str if kind in REASONS.values() else _words
    hints = get_type_hints(kind)
    for name in (each.name for each in fields(kind)):
        assert any(
            words(found) != words(replace(found, **{name: value}))
            for found in instances(kind)
            for value in values(hints[name])
        ), name
