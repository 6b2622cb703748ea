"""
A target that is a Docker Compose project: a fresh, isolated copy of it for every start.

Compose itself resolves the project's file; perfci changes what would make two copies meet (fixed ports, names and
image tags) in the resolved form and starts that. No merging rules, no recent compose syntax needed.
"""

import contextlib
import graphlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from perfci.errors import Interrupted, TargetError
from perfci.model import TargetHealth
from perfci.rig.host import docker, leftovers
from perfci.rig.host.tls import Tls
from perfci.rig.target import images, prebuilt, readiness, volumes
from perfci.rig.target.prepare import Preparation
from perfci.rig.target.project import Project, resolve
from perfci.rig.target.running import Container, Launch, RunningTarget
from perfci.rig.target.stack import Stack
from perfci.schema import Table

CHECK_EVERY_S = 1.0  # asking the engine costs more CPU than the probe itself
DOWN_S = 60.0

_NOT_BUILT = "the images could not be built"


class Options(Table):
    """`[target]` with `kind = "compose"`."""

    kind: Literal["compose"] = "compose"
    file: str = ""  # relative to the checkout; compose's own lookup where it is empty
    files: tuple[str, ...] = ()  # several, the later over the earlier
    profiles: tuple[str, ...] = ()  # of compose
    service: str
    port: int = Field(ge=1, le=65535)  # inside the container
    env: dict[str, str] = {}  # for the variables in the compose file
    prepare: Preparation = Preparation()
    build: bool = True  # false: images that an earlier step has built or loaded
    images: dict[str, str] = {}  # by service: what a registry calls the image of {commit}, instead of a build
    build_timeout_s: float = Field(default=1800.0, gt=0)
    wait_timeout_s: int = Field(default=120, gt=0, le=3600)  # until every service runs or is healthy
    stop_grace_s: int = Field(default=5, ge=0, le=600)
    scheme: Literal["http", "https", "ws", "wss"] = "http"  # that the service speaks at its port
    tls: Tls = Tls()
    ready: readiness.Ready = readiness.Ready()

    @model_validator(mode="after")
    def _one_way(self) -> "Options":
        if self.file and self.files:
            raise ValueError("give file or files, not both")
        prebuilt.check(self.images)
        return self

    def compose_files(self) -> tuple[str, ...]:
        """The compose files that are named; empty where compose looks for them itself."""
        return self.files or ((self.file,) if self.file else ())


def prepare(options: Options, launch: Launch) -> tuple[str, ...]:
    """Build and pull every image, and return sentences about images and copies for the report."""
    notes = prebuilt.pull(options.images, launch, timeout_s=options.build_timeout_s)
    stack = _resolve(options, launch)
    if any("build" in service for service in stack.services.values()):
        leftovers.note_images(launch.state, stack.images)
        for group in _build_order(stack):
            stack.must("build", *group, timeout_s=options.build_timeout_s, log="build", what=_NOT_BUILT)
    absent = [
        name
        for name, service in stack.services.items()
        if not docker.run("image", "inspect", str(service["image"]), environ=launch.environ).ok
    ]
    if absent:
        what = f"images are missing and could not be pulled, for {', '.join(absent)}"
        stack.must("pull", *absent, timeout_s=options.build_timeout_s, log="pull", what=what)
    return (*notes, *stack.warnings)


def _build_order(stack: Stack) -> list[list[str]]:
    """Groups of services that are built together; a single `[]`, for all, where no image is built from another."""
    bases = images.bases(stack.services)
    if not any(bases.values()):
        return [[]]
    try:
        order = graphlib.TopologicalSorter(bases)
        order.prepare()
    except graphlib.CycleError:
        return [[]]  # compose says what is wrong with it
    groups = []
    while order.is_active():
        groups.append(sorted(order.get_ready()))
        order.done(*groups[-1])
    return groups


@contextlib.contextmanager
def start(options: Options, launch: Launch) -> Iterator[Callable[[], RunningTarget]]:
    """Start a fresh copy of the project."""
    stack = _resolve(options, launch, anew=False)
    note = leftovers.note(launch.state, project=stack.name)
    hurry = True  # whatever is not foreseen below is an interruption
    try:
        try:
            if launch.data is not None:
                volumes.restore(stack, launch.data)
            with stack.going_up(options.wait_timeout_s) as up:
                yield lambda: _ready(options, stack, up)
        except Interrupted:
            raise
        except Exception:
            hurry = False
            raise
        hurry = False
    finally:
        if _stop(stack, options, hurry=hurry):
            note.erase()


def _resolve(options: Options, launch: Launch, *, anew: bool = True) -> Stack:
    project = Project(
        service=options.service,
        port=options.port,
        files=options.compose_files(),
        profiles=options.profiles,
        build=options.build,
        images=options.images,
        env=options.env,
    )
    return resolve(project, launch, anew=anew)


def _stop(stack: Stack, options: Options, *, hurry: bool) -> bool:
    """Keep the logs and remove the copy; in a hurry, all copies of this perfci at once, by force, without logs."""
    environ = stack.launch.environ
    if hurry:
        return docker.remove({stack.name, *leftovers.own_projects(stack.launch.state)}, environ=environ) is not None
    limit, grace = DOWN_S + options.stop_grace_s, str(options.stop_grace_s)
    with contextlib.suppress(TargetError):  # the engine went away: the note stays, for a later sweep
        stack.save_logs()
        stack.compose("down", "-v", "--remove-orphans", "-t", grace, timeout_s=limit, log="down")
    return docker.remove([stack.name], environ=environ) is not None


def _ready(options: Options, stack: Stack, up: Callable[[], None]) -> RunningTarget:
    up()
    first = stack.containers()
    verify = options.tls.of(stack.launch.source)
    url = f"{options.scheme}://127.0.0.1:{_host_port(options, stack.publisher, first)}"

    def logs_tail() -> str:
        return stack.logs_tail(options.service)

    def died() -> str:
        return _difference(first, stack.containers())[0]

    def health() -> TargetHealth:
        problem, restarts = _difference(first, stack.containers())
        note = f"{problem}{readiness.evidence(logs_tail())}" if problem else ""
        return TargetHealth(alive=not problem, restarts=restarts, note=note, service=options.service)

    try:
        readiness.wait(options.ready, url, died=died, logs_tail=logs_tail, check_every_s=CHECK_EVERY_S, verify=verify)
    except TargetError as error:
        raise TargetError(f"{restarted(stack.containers())}{error}", hint=error.hint) from None

    def save(folder: Path) -> None:
        volumes.save(stack, folder, grace_s=options.stop_grace_s)

    copied = not stack.outliving and volumes.copied(first, stack)
    return RunningTarget(
        kind=options.kind,
        base_url=url,
        description=_description(first, stack),
        log_path=stack.log(options.service),
        health=health,
        logs_tail=logs_tail,
        outliving=stack.outliving,
        save=save if copied else None,
        apart=lambda: stack.launch.side_by_side and not stack.outliving,
        verify=verify,
        containers=tuple(_container(each, stack) for each in first if each["State"]["Running"]),
    )


def _container(inspected: Mapping[str, Any], stack: Stack) -> Container:
    service = docker.service_of(inspected)
    return Container(
        id=str(inspected["Id"]),
        service=service,
        pid=int(inspected["State"]["Pid"]),
        command=tuple(str(part) for part in (inspected["Path"], *inspected["Args"])),
        checked="Health" in inspected["State"],
        added=stack.added.get(service, ""),
    )


def _host_port(options: Options, publisher: str, containers: list[dict[str, Any]]) -> int:
    for container in containers:
        if docker.service_of(container) == publisher:
            published = (container["NetworkSettings"].get("Ports") or {}).get(f"{options.port}/tcp")
            if published:
                return int(published[0]["HostPort"])
    raise TargetError(
        f"port {options.port} of service {options.service!r} was not published by the engine",
        hint="see that the service is attached to a network",
    )


def _difference(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> tuple[str, int]:
    """Which services have died since the start, and how often the engine restarted a container."""
    known = {container["Id"]: container for container in now}
    problems: list[str] = []
    restarts = 0
    for container in before:
        name, later = docker.service_of(container), known.get(container["Id"])
        if later is None:
            problems.append(f"the container of service {name!r} is gone")
            continue
        restarts += later["RestartCount"] - container["RestartCount"]
        if container["State"]["Running"] and not later["State"]["Running"]:
            problems.append(f"service {name!r} ended with exit code {later['State']['ExitCode']}")
        elif container["State"]["Pid"] != later["State"]["Pid"] and later["RestartCount"] == container["RestartCount"]:
            restarts += 1  # by hand, which the engine does not count
    return "; ".join(problems), restarts


def restarted(containers: Sequence[Mapping[str, Any]]) -> str:
    """Which services end again and again, as the beginning of a sentence; empty where none does."""
    return "".join(
        f"service {docker.service_of(each)!r} ended with exit code {each['State'].get('ExitCode')}, and the engine"
        f" restarted it {each['RestartCount']} times; "
        for each in containers
        if each.get("RestartCount", 0) > 1
    )


def _description(containers: list[dict[str, Any]], stack: Stack) -> str:
    """Every service with the digest of its image, the registry's or else the image's own, and its limits."""
    images = [str(container["Image"]) for container in containers]
    form = '{{join .RepoDigests " "}}'
    found = docker.run("image", "inspect", "--format", form, *images, environ=stack.launch.environ)
    lines = found.out.split("\n") if found.ok else []
    digests = [line.split() for line in [*lines, *("" for _ in images)]]
    return ", ".join(
        f"{docker.service_of(container)}={(known or [image[:19]])[0]}{limits_of(container)}"
        for container, image, known in zip(containers, images, digests, strict=False)
    )


def limits_of(inspected: Mapping[str, Any]) -> str:
    """The limits of the container, such as " (1.5 cores, 512 MB)"; empty without limits."""
    host: Mapping[str, Any] = inspected.get("HostConfig") or {}
    quota, period = host.get("CpuQuota") or 0, host.get("CpuPeriod") or 100_000
    cores = (host.get("NanoCpus") or 0) / 1e9 or max(quota, 0) / period
    limits = [
        f"{cores:g} cores" if cores else "",
        f"cores {host['CpusetCpus']}" if host.get("CpusetCpus") else "",
        f"{host['Memory'] // 2**20} MB" if host.get("Memory") else "",
    ]
    listed = ", ".join(limit for limit in limits if limit)
    return f" ({listed})" if listed else ""
