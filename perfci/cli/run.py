"""`perfci run`."""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from perfci.cli.inputs import naming_input, usage_mistake
from perfci.cli.options import (
    ARTIFACT_NAME,
    BLOCKS,
    CONFIG,
    KEY,
    LOGIN,
    Pairs,
    Seconds,
    config_option,
    env_file_option,
    environment_option,
    host_option,
    log_level_option,
    not_empty,
    quiet_option,
)
from perfci.cli.output import colour, say, width
from perfci.cli.ports import real_ports
from perfci.errors import ConfigError, ExitCode, PerfciError

if TYPE_CHECKING:
    from perfci.pipeline.ports import Ports
    from perfci.pipeline.request import Request

COMMENT = ("auto", "always", "on-regression", "off")
OVERRIDES = ("users", "spawn_rate", "duration", "warmup", "blocks", "rounds", "keep_going")


class _Run(click.Command):
    """A click command that stores usage errors for later steps, as configuration errors are stored."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As any command; where the exit code is deferred, a mistake is a `ConfigError` and stands in the folder."""
        try:
            rest = super().parse_args(ctx, args)
            self._check_named(ctx)
        except click.UsageError as error:
            output, defer_exit = _early(ctx, "output"), _early(ctx, "defer_exit")
            if not output or defer_exit.lower() in {"", "0", "false", "no", "off"}:
                raise
            known = {name: _early(ctx, name) for name in ("profile", "config", "environment")}
            with _announced({**known, "output": Path(output), "defer_exit": True}):
                raise ConfigError(usage_mistake(error)) from None
        return rest

    def _check_named(self, ctx: click.Context) -> None:
        if not ctx.params["profile"] and not ctx.params["all_scenarios"]:
            raise click.MissingParameter(ctx=ctx, param=next(each for each in self.params if each.name == "profile"))


def _early(ctx: click.Context, name: str) -> str:
    """The value of the option *name* in the arguments that were parsed before another option turned out to be wrong."""
    parsed = ctx.params.get(name)
    given = parsed if isinstance(parsed, str | Path | bool) else os.environ.get(f"PERFCI_{name.upper()}", "")
    return str(given) or (CONFIG if name == "config" else "")


@contextlib.contextmanager
def _announced(options: Mapping[str, Any]) -> Iterator[None]:
    """Tell later steps which gate this is and, where one of them must report it, why nothing was measured."""
    from perfci.pipeline import documents, job

    output: Path | None = options["output"]
    try:
        job.announce(
            os.environ,
            output,
            profile=options["profile"],
            config=str(options["config"]),
            environment=options["environment"] or "",
        )
        yield
    except PerfciError as error:
        naming_input(error, os.environ)
        if options["defer_exit"] and output is not None:
            documents.write_failure(error, output)
        raise


@click.command("run", cls=_Run)
@click.argument("profile", metavar="PROFILE[:SCENARIO]", envvar="PERFCI_PROFILE", required=False, default="")
@env_file_option
@click.option(
    "--all",
    "all_scenarios",
    is_flag=True,
    help="Run every scenario, of PROFILE if one is named, against its limits unless it says otherwise; then one table.",
)
@click.option("--smoke", is_flag=True, help="With --all: the scenarios called smoke or ...-smoke, and no others.")
@click.option("--include-soak", is_flag=True, help="With --all: those with an hour of load and more, too.")
@config_option
@environment_option
@host_option
@click.option(
    "--against",
    type=click.Choice(["auto", "baseline", "ref", "limits"]),
    envvar="PERFCI_AGAINST",
    help="What to compare with: the stored baseline, a base commit side by side, or nothing but the limits (SLOs)."
    "  [default: as configured]",
)
@click.option(
    "--base",
    default="",
    envvar="PERFCI_BASE",
    metavar="REF",
    callback=not_empty,
    help='The base: a commit, branch or tag of the local git, a folder ("./old"), or "." for the working tree.',
)
@click.option(
    "--candidate",
    default="",
    metavar="REF",
    callback=not_empty,
    help="What is compared with it, named in the same way.  [default: the working tree]",
)
@click.option("--users", type=click.IntRange(1, 100_000), envvar="PERFCI_USERS", help="Instead of the scenario's.")
@click.option(
    "--spawn-rate",
    type=click.FloatRange(0, 100_000, min_open=True),
    envvar="PERFCI_SPAWN_RATE",
    help="Users per second.",
)
@click.option("--tags", multiple=True, metavar="TAG", help="Tasks with this tag alone; several times.")
@click.option(
    "--user-class", "user_classes", multiple=True, metavar="NAME", help="Users of this class alone; several times."
)
@click.option("--duration", type=Seconds(), envvar="PERFCI_DURATION", help="Measured part of a load round.")
@click.option("--warmup", type=Seconds(), envvar="PERFCI_WARMUP", help="Cut off before the measured part.")
@click.option(
    "--blocks",
    type=BLOCKS,
    envvar="PERFCI_BLOCKS",
    metavar="N|LEAST-MOST",
    help="Starts, side by side: a number, or as many as it takes within bounds (3-12).",
)
@click.option(
    "--keep-going",
    is_flag=True,
    envvar="PERFCI_KEEP_GOING",
    help="Measure on after a regression, until everything that has to be is settled.",
)
@click.option(
    "--confirm",
    type=click.Path(path_type=Path),
    envvar="PERFCI_CONFIRM",
    metavar="RUN",
    help="Measure again what was red in this run (its folder, file or id), and nothing else.",
)
@click.option("--rounds", type=click.IntRange(1, 100), envvar="PERFCI_ROUNDS", help="Rounds, against the baseline.")
@click.option(
    "--fail-on",
    type=click.Choice(["never", "regression", "no-baseline", "inconclusive"]),
    envvar="PERFCI_FAIL_ON",
    help="Which verdicts fail, each with those before it; invalid always does.  [default: as configured]",
)
@click.option(
    "--census",
    type=click.Choice(["auto", "only", "off"]),
    envvar="PERFCI_CENSUS",
    help="Count the work of each request before anything is timed, instead of it, or not.  [default: as configured]",
)
@click.option(
    "--candidate-env",
    type=Pairs(),
    multiple=True,
    help="A variable for the candidate alone: show your gate a fault, and see whether it finds it.",
)
@click.option("--base-env", type=Pairs(), multiple=True, help="A variable for the base alone.")
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    is_eager=True,
    envvar="PERFCI_OUTPUT",
    help="Where the run and its logs go.  [default: a new folder in .perfci/runs]",
)
@click.option(
    "--defer-exit",
    is_flag=True,
    is_eager=True,
    envvar="PERFCI_DEFER_EXIT",
    help="Leave the exit code to `perfci gate`: for CI, where the reports come first.",
)
@click.option(
    "--web",
    is_flag=False,
    flag_value=8089,
    type=click.IntRange(1, 65_535),
    metavar="[=PORT]",
    help="Measure nothing: start the service, and Locust's own page beside it on this machine, until Ctrl-C.",
)
@log_level_option
@click.option("--verbose", is_flag=True, help="Show the advisory series, too.")
@click.option("--timings", is_flag=True, help="Show what the time of the run went into.")
@quiet_option
# Inputs of the Action that later steps use; they are checked here, before anything is started.
@click.option("--comment", type=click.Choice(COMMENT), envvar="PERFCI_COMMENT", hidden=True)
@click.option("--retention-days", type=click.IntRange(1, 90), envvar="PERFCI_RETENTION_DAYS", hidden=True)
@click.option("--key", type=KEY, envvar="PERFCI_KEY", hidden=True)
@click.option("--artifact-name", type=ARTIFACT_NAME, envvar="PERFCI_ARTIFACT_NAME", hidden=True)
@click.option("--login", type=LOGIN, envvar="PERFCI_LOGIN", hidden=True)
@click.pass_context
def command(ctx: click.Context, /, **options: Any) -> None:
    """Measure a profile, compare it with a reference, and print the verdict."""
    with _announced(options):
        code = _run(options)
    ctx.exit(ExitCode.OK if options["defer_exit"] else code)


def _run(options: dict[str, Any]) -> ExitCode:
    from perfci.config import Against, FailOn
    from perfci.pipeline.explore import explore
    from perfci.pipeline.plan import Overrides
    from perfci.pipeline.request import Counting, Request
    from perfci.pipeline.run import run
    from perfci.report import terminal, timings
    from perfci.rig.target import release, sweep

    config: Path = options["config"]
    ports = real_ports(config, quiet=options["quiet"])
    if options["output"] is not None:
        ports = replace(ports, output=options["output"].resolve())
    for what in sweep(ports.state, environ=ports.environ):
        ports.progress.note(f"{what}, which an earlier, killed perfci left")
    request = Request(
        profile=options["profile"],
        config_file=config.name,
        environment=options["environment"],
        host=options["host"],
        against=Against(options["against"]) if options["against"] else None,
        base=options["base"],
        candidate=options["candidate"],
        fail_on=FailOn(options["fail_on"]) if options["fail_on"] else None,
        overrides=Overrides(
            **{name: options[name] for name in OVERRIDES},
            **{name: options[name] or None for name in ("tags", "user_classes")},
        ),
        base_env=dict(options["base_env"]),
        candidate_env=dict(options["candidate_env"]),
        census=Counting(options["census"]) if options["census"] else None,
        confirm=options["confirm"],
    )
    try:
        if options["web"] is not None:
            explore(request, ports, port=options["web"], on_ready=say)
            say("everything that was started is stopped")
            return ExitCode.OK
        if options["all_scenarios"]:
            return _run_all(request, ports, smoke=options["smoke"], include_soak=options["include_soak"])
        result = run(request, ports)
    finally:
        release(ports.state, environ=ports.environ)
        ports.progress.close()
    say(terminal.render(result.outcome, width=width(), colour=colour(), verbose=options["verbose"]))
    if options["timings"]:
        say(timings.table(result.timings))
    say(f"RUN is {_near(result.folder)}")
    return result.exit_code


def _run_all(request: "Request", ports: "Ports", *, smoke: bool, include_soak: bool) -> ExitCode:
    from perfci.pipeline.every import run_all
    from perfci.report import overview

    found = run_all(request, ports, smoke=smoke, include_soak=include_soak)
    say(overview.table(found.outcomes, found.readiness, width=width(), colour=colour()))
    for name, why in found.left_out.items():
        say(f"left out: {name}, {why}")
    say(f"all of it is in {_near(found.file)}")
    return found.exit_code


def _near(folder: Path) -> Path:
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder
