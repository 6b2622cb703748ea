"""One isolated copy of a compose project: its resolved file, the commands on it, and what went wrong in it."""

import contextlib
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfci.errors import TargetError
from perfci.rig.host import docker, process
from perfci.rig.target import counting, readiness
from perfci.rig.target.running import Launch

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
LOG_LINES = 2000
MARGIN_S = 60.0  # for compose itself, beyond the time that the services get


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A compose project under a name of its own."""

    name: str
    file: Path  # resolved and isolated
    services: Mapping[str, Mapping[str, Any]]
    launch: Launch
    added: Mapping[str, str] = field(default_factory=dict)  # by service, what was changed so that its work is counted

    def compose(self, *arguments: str, timeout_s: float, log: str) -> process.Completed:
        """Run `docker compose` on this copy; what it says is kept in the workspace."""
        with self._running(*arguments, timeout_s=timeout_s) as ended:
            done = ended()
        self.log(log).write_text(done.out + done.err)
        return done

    def _running(
        self, *arguments: str, timeout_s: float
    ) -> contextlib.AbstractContextManager[Callable[[], process.Completed]]:
        common = ("compose", "--ansi", "never", "--progress", "plain", "-p", self.name, "-f", str(self.file))
        return docker.running(
            *common, *arguments, environ=self.launch.environ, cwd=self.launch.workspace, timeout_s=timeout_s
        )

    def must(self, *arguments: str, timeout_s: float, log: str, what: str) -> None:
        """The same, with TargetError where it fails."""
        done = self.compose(*arguments, timeout_s=timeout_s, log=log)
        if done.ok:
            return
        docker.diagnose(self.launch.environ)
        late = f" (stopped after {timeout_s:g} s)" if done.code is None else ""
        raise TargetError(
            f"{what}{late}{readiness.evidence(process.tail(self.log(log)))}",
            hint=f"try `docker compose {arguments[0]}` in a checkout of {self.launch.side}",
        )

    @contextlib.contextmanager
    def going_up(self, wait_timeout_s: int) -> Iterator[Callable[[], None]]:
        """
        Start everything; what is yielded waits until it runs or is healthy.

        TargetError names the service that did not.
        """
        limit = str(wait_timeout_s)
        words = ("up", "-d", "--no-build", "--wait", "--wait-timeout", limit)
        with self._running(*words, timeout_s=wait_timeout_s + MARGIN_S) as ended:
            yield lambda: self._up(ended(), wait_timeout_s)

    def _up(self, done: process.Completed, wait_timeout_s: int) -> None:
        self.log("up").write_text(done.out + done.err)
        if done.ok:
            return
        docker.diagnose(self.launch.environ)
        for container in self.containers():
            problem = why_not(container, wait_timeout_s)
            if problem:
                name = docker.service_of(container)
                raise TargetError(
                    f"{problem[0]}{readiness.evidence(self.logs_tail(name))}",
                    hint=problem[1],
                )
        raise TargetError(
            f"the compose project could not be started{readiness.evidence(process.tail(self.log('up')))}",
            hint="try `docker compose up` in the same checkout",
        )

    def containers(self) -> list[dict[str, Any]]:
        """What the engine knows of this copy."""
        return docker.containers(self.name, environ=self.launch.environ)

    def log(self, name: str) -> Path:
        """Where the log of a service or of a step is kept."""
        return self.launch.workspace / f"{self.launch.label}-{name}.log"

    def logs_tail(self, service: str, lines: int = 40) -> str:
        """The end of a service's log, now; of the kept one, once the service is gone."""
        for container in self.containers():
            if docker.service_of(container) == service:
                return docker.logs(container["Id"], lines=lines, environ=self.launch.environ)
        return process.tail(self.log(service), lines=lines)

    def save_logs(self) -> None:
        """Keep the log of every service in a file."""
        for container in self.containers():
            text = docker.logs(container["Id"], lines=LOG_LINES, environ=self.launch.environ, timestamps=True)
            self.log(docker.service_of(container)).write_text(text)


def resolve(*, file: str, service: str, port: int, build: bool, env: Mapping[str, str], launch: Launch) -> Stack:
    """Let compose read the project's file, and make an isolated copy of what it understood."""
    path = _compose_file(launch.source, file)
    # Named explicitly only where it was chosen: compose's own lookup merges an override file that lies beside it.
    chosen = ("-f", str(path)) if file else ()
    launch.workspace.mkdir(parents=True, exist_ok=True)
    name = project_name(launch.label)
    done = docker.run(
        "compose",
        "-p",
        name,
        *chosen,
        "config",
        "--format",
        "json",
        environ=launch.environ,
        extra={**env, **launch.extra_env},
        cwd=launch.source,
    )
    if not done.ok:
        docker.diagnose(launch.environ)
        raise TargetError(
            f"the compose file {path.name} of {launch.side} cannot be used: {docker.last_line(done.err or done.out)}",
            hint="`docker compose config` in the same checkout says more",
        )
    config = isolate(json.loads(done.out), project=name, service=service, port=port, tag=_tag(launch), build=build)
    config["services"][service]["environment"] = {
        **(config["services"][service].get("environment") or {}),
        **{
            key: value.replace("$", "$$") for key, value in launch.extra_env.items()
        },  # compose fills in variables again
    }
    added = counting.amend(config["services"], environ=launch.environ) if launch.counted else {}
    resolved = (
        launch.workspace / f".{launch.label}-compose.json"
    )  # hidden: it holds values of variables, and hidden files are not uploaded
    resolved.write_text(json.dumps(config, indent=1))
    return Stack(name=name, file=resolved, services=config["services"], launch=launch, added=added)


def isolate(
    config: Mapping[str, Any], *, project: str, service: str, port: int, tag: str, build: bool
) -> dict[str, Any]:
    """
    The resolved *config* without what would make two copies meet.

    No fixed names of containers, networks and volumes; one published port, on the loopback and free; images that are
    built here under a tag of this side, so that base and candidate cannot overwrite each other's.
    """
    services = {name: dict(each) for name, each in (config.get("services") or {}).items()}
    _check_service(services, service)
    tags = _tags(services, tag=tag, build=build)
    for name, each in services.items():
        each.pop("container_name", None)
        each.pop("ports", None)
        built = "build" in each
        image = str(each.get("image") or f"{name}:unnamed")
        each["image"] = tags.get(image, image)
        if not build:
            each.pop("build", None)
        if built or image in tags:
            each["pull_policy"] = "never" if not built or not build else "build"
    services[service]["ports"] = [{"target": port, "host_ip": "127.0.0.1", "protocol": "tcp"}]
    kept = {key: value for key, value in config.items() if key not in {"name", "services", "networks", "volumes"}}
    own = {kind: _unnamed(config[kind]) for kind in ("networks", "volumes") if config.get(kind)}
    return {"name": project, **kept, "services": services, **own}


def _check_service(services: Mapping[str, Mapping[str, Any]], service: str) -> None:
    if service not in services:
        raise TargetError(
            f"the compose file has no service {service!r}; it has {', '.join(sorted(services)) or 'none'}",
            hint="name the service that answers HTTP: service in [target]",
        )
    mode = str(services[service].get("network_mode") or "")
    if mode:
        raise TargetError(
            f"the port of service {service!r} cannot be published: it has network_mode {mode!r}",
            hint="remove network_mode: perfci needs a port of its own for each copy",
        )


def _tags(services: Mapping[str, Mapping[str, Any]], *, tag: str, build: bool) -> dict[str, str]:
    """New names of the images that are built here, by the old ones."""
    named = {name: str(each.get("image") or f"{name}:unnamed") for name, each in services.items() if "build" in each}
    if build:
        return {image: f"perfci-{tag}-{name}".lower() for name, image in named.items()}
    unnamed = sorted(name for name in named if not services[name].get("image"))
    if unnamed:
        raise TargetError(
            f"build = false, but these services have no image name to be found by: {', '.join(unnamed)}",
            hint="give them an image in the compose file, or let perfci build: build = true",
        )
    return {}


def _unnamed(things: Mapping[str, Any]) -> dict[str, Any]:
    def own(thing: Mapping[str, Any] | None) -> dict[str, Any]:
        given = dict(thing or {})
        return given if given.get("external") else {key: value for key, value in given.items() if key != "name"}

    return {name: own(thing) for name, thing in things.items()}


def why_not(container: Mapping[str, Any], waited_s: int) -> tuple[str, str] | None:
    """Why a container is not as `up --wait` wants it, and what to do; None where it is."""
    name, state = docker.service_of(container), container["State"]
    health = (state.get("Health") or {}).get("Status", "")
    code = state.get("ExitCode")
    if state["Status"] == "exited" and code == 0:
        return (
            f"service {name!r} did its work and ended (exit code 0), which `up --wait` takes for a failure",
            f"let another service depend on {name} with condition: service_completed_successfully",
        )
    if state["Status"] in {"exited", "dead", "restarting"}:
        killed = ", out of memory" if state.get("OOMKilled") else ""
        return (
            f"service {name!r} ended with exit code {code}{killed} before it was ready",
            "start it by hand with `docker compose up` and look at what it says",
        )
    if health in {"starting", "unhealthy"}:
        said = " ".join(str(((state["Health"].get("Log") or [{}])[-1] or {}).get("Output", "")).split())[:300]
        return (
            f"service {name!r} never became healthy within {waited_s} s"
            + (f"; its health check said: {said}" if said else ""),
            "check its healthcheck, or raise wait_timeout_s in [target]",
        )
    return None


def project_name(label: str) -> str:
    """A valid and unique name of a compose project."""
    plain = re.sub(r"[^a-z0-9_-]+", "-", label.lower()).strip("-_")
    if plain != label or len(plain) > 40:
        plain = f"{plain[:40]}-{hashlib.sha256(label.encode()).hexdigest()[:8]}".lstrip("-")
    return f"perfci-{plain}"


def _tag(launch: Launch) -> str:
    """Equal for every start of one side of one checkout, and for nothing else on this machine."""
    return f"{launch.side}-{hashlib.sha256(str(launch.source.resolve()).encode()).hexdigest()[:8]}"


def text(source: Path, file: str) -> str:
    """The compose file as it is written, or "" where there is none."""
    with contextlib.suppress(TargetError, OSError):
        return _compose_file(source, file).read_text(errors="replace")
    return ""


def _compose_file(source: Path, file: str) -> Path:
    """The file, which must lie in the checkout: compose itself would search the folders above it."""
    candidates = [source / file] if file else [source / name for name in DEFAULT_FILES]
    found = next((path for path in candidates if path.is_file()), None)
    if found is None:
        raise TargetError(
            f"there is no compose file in {source}: looked for {', '.join(path.name for path in candidates)}",
            hint="name it, relative to the checkout: file in [target]",
        )
    if not found.resolve().is_relative_to(source.resolve()):
        raise TargetError(f"the compose file {file} lies outside the checkout")
    return found
