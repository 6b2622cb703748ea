"""Options and types of options that several commands share."""

from pathlib import Path

import click

config_option = click.option(
    "--config",
    "config",
    type=click.Path(dir_okay=False, path_type=Path),
    default="perfci.toml",
    show_default=True,
    envvar="PERFCI_CONFIG",
    help="The configuration file; its folder is the project.",
)
environment_option = click.option(
    "--environment", envvar="PERFCI_ENVIRONMENT", metavar="NAME", help="A named environment of the configuration."
)
quiet_option = click.option("--quiet", is_flag=True, envvar="PERFCI_QUIET", help="Say nothing but the verdict.")


class Pairs(click.ParamType[tuple[str, str]]):
    """KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        key, equals, text = str(value).partition("=")
        if not equals or not key.isidentifier():
            self.fail(f"{value!r} is not of the form KEY=VALUE", param, ctx)
        return key, text


class Seconds(click.ParamType[float]):
    """A duration such as 90s, 2m or 1h."""

    name = "DURATION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """In seconds."""
        from perfci.config import seconds

        try:
            return seconds(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)
