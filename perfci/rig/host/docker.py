"""Runs the docker command; every call is bounded in time."""

import contextlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

from perfci.errors import TargetError
from perfci.rig.host import process
from perfci.rig.host.environment import child_environment, of_job

PROJECT_PATTERN = r"perfci-[a-z0-9_-]{1,56}"
PROJECT_LABEL = "com.docker.compose.project"
IMAGES_PATTERN = r"perfci-(?:base|candidate)-[0-9a-f]{8}"
SERVICE_LABEL = "com.docker.compose.service"
ASK_S = 20.0

_UNSET = re.compile(r"COMPOSE_.*")  # the caller's own compose settings would change what is started


def environment(environ: Mapping[str, str], extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment that docker and compose run with."""
    kept = of_job(environ).without(lambda name: _UNSET.fullmatch(name) is not None)
    agent = ("SSH_AUTH_SOCK",) if environ.get("DOCKER_HOST", "").startswith("ssh:") else ()  # the way to the engine
    return child_environment(kept, extra, passed=agent)


def run(
    *arguments: str,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    timeout_s: float = ASK_S,
) -> process.Completed:
    """Run `docker *arguments*` to its end; TargetError where there is no such command."""
    with running(*arguments, environ=environ, cwd=cwd, extra=extra, timeout_s=timeout_s) as ended:
        return ended()


@contextlib.contextmanager
def running(
    *arguments: str,
    environ: Mapping[str, str],
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    timeout_s: float = ASK_S,
    into: IO[bytes] | None = None,
    out: IO[bytes] | None = None,
) -> Iterator[Callable[[], process.Completed]]:
    """Run `docker *arguments*` in the background, as `process.running` does."""
    command = process.running(
        ["docker", *arguments],
        cwd=cwd or Path("/"),
        environment=environment(environ, extra),
        timeout_s=timeout_s,
        into=into,
        out=out,
    )
    with contextlib.ExitStack() as stack:
        try:
            ended = stack.enter_context(command)
        except FileNotFoundError:
            raise TargetError(
                "docker was not found on PATH",
                hint='install Docker with the compose plug-in, or use kind = "command" for the target',
            ) from None
        yield ended


def diagnose(environ: Mapping[str, str]) -> None:
    """Raise TargetError where a call failed because of docker itself, and not because of its arguments."""
    engine = run("version", "--format", "{{.Server.Version}}", environ=environ)
    if not engine.ok:
        raise TargetError(
            f"the Docker engine does not answer: {last_line(engine.err or engine.out)}",
            hint="start it (`sudo systemctl start docker`), and see that this user may use its socket",
        )
    plugin = run("compose", "version", environ=environ)
    if not plugin.ok:
        raise TargetError(
            f"docker has no compose command: {last_line(plugin.err or plugin.out)}",
            hint="install the compose plug-in, version 2.20 or later (docs.docker.com/compose/install)",
        )
    if "--wait-timeout" not in run("compose", "up", "--help", environ=environ).out:
        raise TargetError(
            f"docker compose is too old: {last_line(plugin.out)} has no --wait-timeout",
            hint="install the compose plug-in, version 2.20 or later (docs.docker.com/compose/install)",
        )


def containers(project: str, *, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """What `docker inspect` says of the project's containers, running or not."""
    listed = run("ps", "-aq", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}", environ=environ)
    ids = listed.out.split()
    if listed.ok and not ids:
        return []
    try:
        found: list[dict[str, Any]] = json.loads(run("inspect", *ids, environ=environ).out)
    except ValueError:
        raise TargetError(
            f"the Docker engine did not say how the project {project} is: {last_line(listed.err)}",
            hint="see whether the engine still runs: `docker info`",
        ) from None
    return sorted(found, key=service_of)


def programs(container: str, *, environ: Mapping[str, str]) -> frozenset[str]:
    """The names of the programs that run in a container; empty where the engine does not list them."""
    return frozenset(run("top", container, "-eo", "pid,comm", environ=environ).out.split())


def service_of(container: Mapping[str, Any]) -> str:
    """The compose service that a container belongs to."""
    return str((container["Config"].get("Labels") or {}).get(SERVICE_LABEL, ""))


def logs(container: str, *, lines: int, environ: Mapping[str, str], timestamps: bool = False) -> str:
    """The end of what a container wrote, both streams."""
    flags = ("--timestamps",) if timestamps else ()
    done = run("logs", *flags, "--tail", str(lines), container, environ=environ)
    return (done.out + done.err)[-1_000_000:]


def remove(projects: Collection[str], *, environ: Mapping[str, str]) -> int | None:
    """
    Remove by force, all projects at once, what carries their label: how many things; None where some may be left.

    Takes no compose file and no grace: it has to work when everything else has failed.
    """
    wanted = {project for project in projects if re.fullmatch(PROJECT_PATTERN, project)}
    try:
        gone = _remove(wanted, ["ps", "-a"], ["rm", "-f", "-v"], "{{.ID}}", environ)
        if gone is None:
            return None
        with ThreadPoolExecutor(2) as pool:
            rest = list(
                pool.map(
                    lambda kind: _remove(wanted, [kind, "ls"], [kind, "rm"], _KEY[kind], environ),
                    ("network", "volume"),
                )
            )
    except TargetError:
        return None
    return None if None in rest else gone + sum(count or 0 for count in rest)


def remove_images(prefix: str, *, environ: Mapping[str, str]) -> int | None:
    """
    Remove the images whose names begin with *prefix*: how many; None where some may be left.

    Only these names go. An image that has another name as well stays under that, and so does what the engine caches
    for the next build.
    """
    if not re.fullmatch(IMAGES_PATTERN, prefix):
        return 0

    def present() -> list[str] | None:
        form = "{{.Repository}}:{{.Tag}}"
        listed = run("image", "ls", "--filter", f"reference={prefix}-*", "--format", form, environ=environ)
        return listed.out.split() if listed.ok else None

    try:
        before = present()
        if before:
            run("image", "rm", *before, environ=environ)
            return len(before) if present() == [] else None
    except TargetError:
        return None
    return None if before is None else 0


_KEY = {"network": "{{.ID}}", "volume": "{{.Name}}"}


def _remove(
    wanted: Collection[str], listing: list[str], removal: list[str], key: str, environ: Mapping[str, str]
) -> int | None:
    def present() -> list[str] | None:
        listed = run(*listing, "--format", f'{key}\t{{{{.Label "{PROJECT_LABEL}"}}}}', environ=environ)
        rows = (line.split("\t", 1) for line in listed.out.splitlines() if "\t" in line)
        return [row[0] for row in rows if row[1] in wanted] if listed.ok else None

    before = present()
    if before:
        run(*removal, *before, environ=environ)
        return len(before) if present() == [] else None
    return None if before is None else 0


def last_line(text: str) -> str:
    """The last line of an error output, in which docker usually states the problem."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "(it said nothing)"
