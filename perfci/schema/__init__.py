"""
Turns data from outside (a configuration, a stored file, an input) into typed values, or names every problem.

A leaf like `model` and `errors`: every room may use it for its own part of the configuration.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from perfci.errors import ConfigError, PerfciError

T = TypeVar("T")

_PASSWORD = re.compile(r"(://[^/?#\s:@]*:)[^\s]+@")
"""In an address, as far as the last `@`: a password may hold others."""


class Table(BaseModel):
    """A table of the configuration: frozen, and an unknown key is an error that names it."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def parse(kind: type[T], data: object, *, where: str, error: Callable[..., PerfciError] = ConfigError) -> T:
    """
    Turn *data* into a *kind*, or raise *error* with one line for each problem: the place, what is wrong, the value.

    *where* names the source for the reader: a file, or a table of one ("perfci.toml: [target]").
    """
    try:
        return TypeAdapter(kind).validate_python(data)
    except ValidationError as problems:
        raise error(describe(problems, where=where)) from None


def describe(problems: ValidationError, *, where: str) -> str:
    """Every problem on its own line: the place, what is wrong and the value that was given."""
    lines = [_line(problem) for problem in problems.errors(include_url=False)]
    head = f"{where} cannot be used:" if len(lines) == 1 else f"{where} cannot be used, for {len(lines)} reasons:"
    return "\n".join([head, *(f"  {line}" for line in lines[:20]), *_rest(len(lines) - 20)])


def _line(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "(top level)"
    if problem["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        return f"{place}: unknown key"
    if problem["type"] in {"missing", "missing_argument"}:
        return f"{place}: is required"
    message = problem["msg"].removeprefix("Value error, ")
    message = f"{place}: {message[:1].lower()}{message[1:]}"
    if isinstance(problem["input"], Mapping):  # a whole table says nothing that the file does not, and may hold secrets
        return message
    value = _PASSWORD.sub(r"\1***@", repr(problem["input"]))
    return f"{message} (got {value if len(value) <= 60 else value[:57] + '...'})"


def _rest(hidden: int) -> list[str]:
    return [f"  ... and {hidden} more"] if hidden > 0 else []
