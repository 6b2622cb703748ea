"""Describes mistakes in the Action's inputs, which arrive as variables: the input, its value, what is allowed."""

import os
from collections.abc import Mapping

import click
from click.core import ParameterSource

from perfci.cli.options import Seconds, Text
from perfci.errors import ExitCode, PerfciError

INPUTS = {"PERFCI_LOGIN": "github-login"}
"""Input of the Action -> the environment variable that carries it, where their names differ."""

LOOKED_UP = ("profile", "environment", "base", "config")
"""Inputs whose values name things of the project, so that they can be checked only after a lookup."""

SHOWN = 100
"""Longest part of a wrong value that a message repeats, in characters."""


def usage_mistake(error: click.UsageError) -> str:
    """
    Describe a usage error in one sentence; for an input of the Action with its name, its value and the allowed values.
    """
    param = error.param if isinstance(error, click.BadParameter) else None
    if param is None or not isinstance(param.envvar, str) or not (variable := param.envvar).startswith("PERFCI_"):
        return error.format_message()
    name = INPUTS.get(variable) or variable.removeprefix("PERFCI_").lower().replace("_", "-")
    if isinstance(error, click.MissingParameter):
        return f"the input {name} is missing: {_form(param)} ({variable})"
    value = os.environ.get(variable, "")
    if not value or not error.ctx or error.ctx.get_parameter_source(param.name or "") is ParameterSource.COMMANDLINE:
        return error.format_message()
    shown = repr(value if len(value) <= SHOWN else f"{value[:SHOWN]}…")
    return f"the input {name} is {shown}, but it must be {_form(param)} ({variable})"


def naming_input(error: PerfciError, environ: Mapping[str, str]) -> None:
    """Add to the hint of *error* the name of the Action's input whose value its message repeats."""
    if environ.get("GITHUB_ACTIONS") != "true" or error.exit_code is not ExitCode.USAGE:
        return
    for name in LOOKED_UP:
        value = environ.get(f"PERFCI_{name.upper()}", "")
        quoted = [repr(part) for part in (value, *value.split(":"))] if name != "config" else [f"/{value}"]
        if value and any(part in str(error) for part in quoted):
            error.hint = f"{error.hint}; the input {name} is {value[:SHOWN]!r}".removeprefix("; ")
            return


def _form(param: click.Parameter) -> str:
    """Describe the values that a parameter accepts."""
    kind = param.type
    if isinstance(kind, click.Choice):
        *most, last = [str(choice) for choice in kind.choices]
        return f"one of {', '.join(most)} or {last}"
    if isinstance(kind, click.IntRange):
        return f"a whole number from {kind.min} to {kind.max}"
    if isinstance(kind, click.FloatRange):
        return f"a number above {kind.min:g} and at most {kind.max:g}"
    if isinstance(kind, Text | Seconds):
        return kind.form
    return "the path of a file" if isinstance(kind, click.Path) else f"{param.human_readable_name} of the configuration"
