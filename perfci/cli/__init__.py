"""
The command line: parses arguments, calls one use case, prints, exits.

Command modules import click and `perfci.errors` alone at their top, so that `perfci --help` answers at once; what a
command needs beyond that it imports when it is called.
"""

import errno
import gc
import importlib
import keyword
import signal
import sys
from types import FrameType
from typing import NoReturn

import click

from perfci import __version__
from perfci.cli.output import say
from perfci.errors import ExitCode, Interrupted, PerfciError

COMMANDS = {
    "init": "Look at this repository and write a first perfci.toml, a Locust file and the workflows.",
    "run": "Measure a profile, compare it with a reference, and print the verdict.",
    "compare": "Judge stored runs: CANDIDATE against BASE (a run, or a folder of runs).",
    "check": "Judge RUN against the SLOs only; RUN is a run, or a result file of another tool.",
    "import": "Turn result files of other tools into a run, or into accepted runs of the baseline.",
    "report": "Write the HTML report of the run RUN again, or print its report in another format.",
    "gate": "Exit with the code of the run in the folder RUN: 0 for a pass.",
    "baseline": "Manage the accepted runs that later runs are compared with.",
    "history": "The runs of the main branch, kept for years: `push` adds some, `perfci trend` shows what changed.",
    "trend": "Show what changed along a history: by which commit, by how much, and whether it was accepted.",
    "seed": "Put the configured data into the service at URL, which is already running.",
    "worker": "Drive users for a `perfci run` on another machine, round after round.",
    "publish": "Publish the run in the folder RUN: summary, outputs, annotations, comment.",
    "command": "Carry out the `/perf` commands of the comment that started this job.",
    "doctor": "Check what a run needs, and say what is missing, slow, unmeasurable or unsafe.",
    "clean": "Remove what earlier runs left on this machine: processes of a killed perfci, images, environments of the "
    "load.",
}
"""Command -> first line of its help, so that `perfci --help` imports no command; a test compares both."""

HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""The signal that a closed terminal sends; Windows has none."""
ENDS = tuple(filter(None, (signal.SIGINT, signal.SIGTERM, HANGUP)))
"""The signals that ask perfci to stop: Ctrl-C, the runner, a terminal that is closed."""


FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}
"""Error numbers of a disk that accepts no writes, which is never a mistake of perfci's."""

COLLECT_AFTER = 50_000
"""
Allocations before Python's garbage collection runs. Its default of 700 cost a third of the time of a thousand
endpoints: a run is a million objects, all in use to the end, which were scanned again and again.
"""


class LazyGroup(click.Group):
    """Commands by name, one module each in this package, imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        command: click.Command = importlib.import_module(f"perfci.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="perfci")
def cli() -> None:
    """
    A performance gate for pull requests.

    Starts your service, fills it with known data, drives it with a Locust profile, compares what it measured with the
    base commit or a stored baseline, and says pass, regression or "cannot tell", with its reasons.

    \b
    Exit codes: 0 pass, or nothing to compare with; 2 usage or configuration; 3 could not measure;
    4 could not publish; 10 regression or SLO breach; 11 inconclusive, where asked to fail on it; 130 interrupted.
    """


def main() -> NoReturn:
    """Run the program; every exit passes here."""
    gc.set_threshold(COLLECT_AFTER)
    for number in ENDS:
        if number != HANGUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup's wish is respected
            signal.signal(number, _interrupt)
    try:
        sys.exit(cli.main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except PerfciError as error:
        say(_message(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in FULL:
            raise
        say(f"perfci: {error.filename or 'a file'} cannot be written: {error.strerror}", err=True)
        say("next: free some space, or name another folder with --output; what was written before is whole", err=True)
        sys.exit(ExitCode.NOT_MEASURED)
    except (KeyboardInterrupt, click.Abort):
        from perfci.rig.host.process import end_descendants

        end_descendants()
        click.echo("perfci: interrupted; everything that was started is stopped", err=True)
        sys.exit(ExitCode.INTERRUPTED)


def _interrupt(number: int, _frame: FrameType | None) -> None:
    # Once: a second Ctrl-C in the middle of stopping containers would leave them behind.
    for each in ENDS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(signal.Signals(number).name)


def _message(error: PerfciError) -> str:
    lines = [f"perfci: {error}"]
    if error.hint:
        lines.append(f"next: {error.hint}")
    return "\n".join(lines)
