"""The types of single values in `perfci.toml`: durations, names, variables."""

import math
import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field

UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
NAME = r"^[a-z0-9][a-z0-9-]*$"
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
    if name.upper().startswith(("LOCUST_", "PERFCI_")):
        raise ValueError("would change the load behind the plan's back: the keys of the scenario decide about it")
    return name


Duration = Annotated[float, BeforeValidator(seconds)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(checked_variable)]
VariableText = Annotated[str, Field(pattern=r"^[^\x00]*$")]
Name = Annotated[str, Field(pattern=NAME, max_length=60)]


def first_given(*values: T | None) -> T:
    """Return the first of *values* that is not None."""
    return next(value for value in values if value is not None)
