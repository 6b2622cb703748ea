"""Options and types of options that several commands share."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import click
from click.core import ParameterSource

CONFIG = "perfci.toml"


def not_empty(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty value on the command line, `--base "$SHA"` without SHA; in a variable it stands for none."""
    if value == "" and ctx.get_parameter_source(str(param.name)) is ParameterSource.COMMANDLINE:
        raise click.BadParameter("it is empty; leave the option out, or set the variable of the shell")
    return value


config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=CONFIG,
    show_default=True,
    envvar="PERFCI_CONFIG",
    help="The configuration file; its folder is the project.",
)
environment_option = click.option(
    "--environment",
    envvar="PERFCI_ENVIRONMENT",
    metavar="NAME",
    callback=not_empty,
    help="A named environment of the configuration.",
)


def _load(_ctx: click.Context, _param: click.Parameter, path: Path | None) -> None:
    """Set the variables of the file *path* in the environment; variables that are already set win."""
    if path is None:
        return
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise click.BadParameter(f"{path} is not UTF-8") from None
    for number, line in enumerate(lines, start=1):
        text = line.strip().removeprefix("export ")
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name.strip()):
            raise click.BadParameter(f"line {number} of {path} is not NAME=VALUE")
        os.environ.setdefault(name.strip(), _unquoted(value.strip()))


def _unquoted(value: str) -> str:
    """The value without the quotes around it; without quotes, up to a comment."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value.partition(" #")[0].rstrip()


env_file_option = click.option(
    "--env-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=_load,
    help="Variables in lines NAME=VALUE, for perfci and what it starts; variables that are already set win.",
)
host_option = click.option(
    "--host",
    envvar="PERFCI_HOST",
    metavar="URL",
    help="A service that runs already, instead of the configured target: on this machine, or in its allow_hosts.",
)
quiet_option = click.option("--quiet", is_flag=True, envvar="PERFCI_QUIET", help="Print only the verdict.")


class Text(click.ParamType[str]):
    """An option whose text must match *pattern*; *form* describes it in error messages."""

    name = "TEXT"

    def __init__(self, pattern: str, form: str) -> None:
        self._pattern = re.compile(pattern)
        self.form = form

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text unchanged, or fail with the expected form."""
        text = str(value)
        return text if self.allows(text) else self.fail(f"{text!r} is not {self.form}", param, ctx)

    def allows(self, text: str) -> bool:
        """Whether *text* matches the pattern."""
        return self._pattern.fullmatch(text) is not None


KEY = Text(r"(?=.*[^\W_])[^\x00-\x1f\x7f]{1,200}", "one line of at most 200 characters with a letter or digit")
ARTIFACT_NAME = Text(
    r"[^\x00-\x1f\x7f\"<>|*?:\\/]{1,200}", r'at most 200 characters, none of them one of " < > | * ? : \ /'
)
LOGIN = Text(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(\[bot\])?", "a login such as octocat or my-app[bot]")


class _Format(click.ParamType[str]):
    """A choice of report formats that imports the renderers only when it is used, since they bring heavy libraries."""

    name = "FORMAT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text unchanged."""
        from perfci.report import FORMATS

        return str(value) if value in FORMATS else self.fail(f"{value!r} is none of {', '.join(FORMATS)}", param, ctx)


class _FormatOption(click.Option):
    """The option `--format`, whose help lists the available formats."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        from perfci.report import FORMATS

        named, text = super().get_help_record(ctx) or ("", "")
        return named, f"One of {', '.join(FORMATS)}. {text}"


def format_option(text: str) -> Callable[[click.decorators.FC], click.decorators.FC]:
    """The option `--format`; *text* is the help that follows the list of formats."""
    return click.option("--format", "fmt", cls=_FormatOption, type=_Format(), help=text)


BLOCKS = Text(
    r"([2-9]|[1-9]\d|100)(-([2-9]|[1-9]\d|100))?", "a number from 2 to 100, or the fewest and the most, such as 3-12"
)


LOG_LEVELS = ("debug", "info", "warning", "error", "critical")


def _log_level(_ctx: click.Context, _param: click.Parameter, level: str | None) -> None:
    if level is not None:
        os.environ["PERFCI_LOG_LEVEL"] = level


log_level_option = click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS, case_sensitive=False),
    envvar="PERFCI_LOG_LEVEL",
    expose_value=False,
    callback=_log_level,
    help="Of Locust's log in the run's folder.  [default: info]",
)


class Counts(click.ParamType[tuple[str, int]]):
    """An option of the form NAME=NUMBER."""

    name = "NAME=NUMBER"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Split at the equals sign."""
        name, _, number = str(value).partition("=")
        if not name.isidentifier() or not number.isdecimal():
            self.fail(f"{value!r} is not of the form NAME=NUMBER", param, ctx)
        return name, int(number)


class Pairs(click.ParamType[tuple[str, str]]):
    """An option of the form KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        key, equals, text = str(value).partition("=")
        if not equals or not key.isidentifier():
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key, text


class Seconds(click.ParamType[float]):
    """An option that is a duration, such as 90s, 2m or 1h."""

    name = "DURATION"
    form = "a duration such as 90s, 2m or 1h"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the duration in seconds."""
        from perfci.config import seconds

        try:
            return seconds(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
