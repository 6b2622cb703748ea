"""`perfci worker`."""

from pathlib import Path

import click

from perfci.cli.options import Seconds, config_option, quiet_option
from perfci.cli.output import say
from perfci.cli.ports import real_ports


class Address(click.ParamType[tuple[str, int]]):
    """An option of the form HOST:PORT."""

    name = "HOST:PORT"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Split at the last colon; an address of IPv6 keeps its brackets."""
        host, colon, port = str(value).rpartition(":")
        if not colon or not host or not port.isdigit() or not 0 < int(port) < 65_536:
            self.fail(f"{value!r} is not of the form HOST:PORT", param, ctx)
        return host, int(port)


@click.command("worker")
@click.argument("profile", metavar="PROFILE[:SCENARIO]", envvar="PERFCI_PROFILE")
@config_option
@click.option("--master", type=Address(), required=True, envvar="PERFCI_MASTER", help="Where `perfci run` listens.")
@click.option(
    "--wait",
    type=Seconds(),
    default="10m",
    show_default=True,
    envvar="PERFCI_WAIT",
    help="How long to wait for the first round, and for the next.",
)
@quiet_option
def command(profile: str, config: Path, master: tuple[str, int], wait: float, quiet: bool) -> None:
    """Drive users for a `perfci run` on another machine, round after round."""
    from perfci.pipeline.worker import work

    ports = real_ports(config, quiet=quiet)
    rounds = work(profile, ports, config.name, master=master, wait_s=wait)
    say(f"served {rounds} rounds; none came for {wait:g} s")
