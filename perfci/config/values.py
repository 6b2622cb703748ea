"""The types of single values in `perfci.toml`: durations, names, variables."""

import math
import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

from perfci.config import locust_options

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
NAME = r"^[a-z0-9][a-z0-9-]*$"
NAMES = r"^[a-z0-9*][a-z0-9*-]*$"
T = TypeVar("T")


def seconds(value: object) -> float:
    """Seconds of "90", "90s", "2m", "1.5h" or a number; ValueError names the allowed form."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 1e300 else math.inf
    elif isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)?\s*", value)):
        number = float(found[1]) * UNITS_S[found[2] or "s"]
    else:
        raise ValueError('a duration is a number of seconds or text like "90s", "2m", "1h"')
    if not 0 <= number <= 7 * 86400:
        raise ValueError("a duration lies between 0 and 7 days")
    return number


def checked_variable(name: str) -> str:
    """The name of a variable for the locustfile; ValueError where Locust, or its recorder, would obey it."""
    if name.upper() in locust_options.VARIABLES or name.upper().startswith("PERFCI_"):
        raise ValueError("would change the load behind the plan's back: the keys of the scenario decide about it")
    return name


def checked_argument(argument: str) -> str:
    """An argument for the Locust file; ValueError where it is an option of Locust's own."""
    if option := locust_options.option_in(argument):
        raise ValueError(f"{option} is an option of Locust's own: the keys of the scenario decide about the load")
    return argument


Duration = Annotated[float, BeforeValidator(seconds)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(checked_variable)]
VariableText = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Argument = Annotated[VariableText, AfterValidator(checked_argument)]
Name = Annotated[str, Field(pattern=NAME, max_length=60)]
NamePattern = Annotated[str, Field(pattern=NAMES, max_length=60)]
"""A name in which "*" stands for any text."""
_listed = BeforeValidator(lambda given: (given,) if isinstance(given, str) else given)
NamePatterns = Annotated[tuple[NamePattern, ...], _listed, Field(min_length=1)]
"""One pattern, or a list of them."""
Paths = Annotated[tuple[str, ...], _listed, Field(min_length=1)]
"""One path, or a list of them."""


def first_given(*values: T | None) -> T:
    """Return the first of *values* that is not None."""
    return next(value for value in values if value is not None)
