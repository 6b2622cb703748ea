"""Runs commands on one isolated copy of a compose project, and reports what went wrong in it."""

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfci.errors import TargetError
from perfci.rig.host import docker, process
from perfci.rig.target import readiness
from perfci.rig.target.running import Launch

LOG_LINES = 2000
NO_CHECK = "has no healthcheck configured"
"""What compose says where it waits for a service whose health check is switched off."""

MARGIN_S = 60.0  # for compose itself, beyond the time that the services get


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A compose project under a name of its own."""

    name: str
    file: Path  # resolved and isolated
    services: Mapping[str, Mapping[str, Any]]
    publisher: str  # the service at which the engine publishes the port
    launch: Launch
    env: Mapping[str, str] = field(default_factory=dict)  # for secrets and configs that come from variables
    images: str = ""  # what the names of the images that are built here begin with
    warnings: tuple[str, ...] = ()  # what it shares with the other side
    outliving: tuple[str, ...] = ()  # volumes and folders whose data is still there in the next block
    added: Mapping[str, str] = field(default_factory=dict)  # by service, what was changed so that its work is counted

    def compose(self, *arguments: str, timeout_s: float, log: str) -> process.Completed:
        """Run `docker compose` on this copy, and keep its output in the workspace."""
        with self._running(*arguments, timeout_s=timeout_s) as ended:
            done = ended()
        self.log(log).write_text(done.out + done.err)
        return done

    def _running(
        self, *arguments: str, timeout_s: float
    ) -> contextlib.AbstractContextManager[Callable[[], process.Completed]]:
        common = ("compose", "--ansi", "never", "--progress", "plain", "-p", self.name, "-f", str(self.file))
        return docker.running(
            *common,
            *arguments,
            environ=self.launch.environ,
            extra=self.env,
            cwd=self.launch.workspace,
            timeout_s=timeout_s,
        )

    def must(self, *arguments: str, timeout_s: float, log: str, what: str) -> None:
        """Run `docker compose` as `compose` does; TargetError where it fails."""
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
        with self._running(*_up(wait_timeout_s), timeout_s=wait_timeout_s + MARGIN_S) as ended:
            yield lambda: self._up(ended(), wait_timeout_s)

    def _up(self, done: process.Completed, wait_timeout_s: int) -> None:
        self.log("up").write_text(done.out + done.err)
        if done.ok or self._runs_unchecked(done, wait_timeout_s):
            return
        docker.diagnose(self.launch.environ)
        if problem := first_problem(self.containers(), self.services, wait_timeout_s):
            raise TargetError(
                f"{problem.message}{readiness.evidence(self.logs_tail(problem.service))}", hint=problem.hint
            )
        raise TargetError(
            f"the compose project could not be started{readiness.evidence(process.tail(self.log('up')))}",
            hint="try `docker compose up` in the same checkout",
        )

    def _runs_unchecked(self, done: process.Completed, wait_timeout_s: int) -> bool:
        """
        Whether everything runs, although `up --wait` ended with an error.

        It starts all and waits for all, but refuses a service whose health check is switched off.
        """
        unchecked = {name for name, service in self.services.items() if _is_unchecked(service)}
        if not unchecked or NO_CHECK not in done.out + done.err:
            return False
        if others := sorted(self.services.keys() - unchecked - one_shots(self.services)):
            words = (*_up(wait_timeout_s), "--no-deps", *others)
            if not self.compose(*words, timeout_s=wait_timeout_s + MARGIN_S, log="up").ok:
                return False
        return first_problem(self.containers(), self.services, wait_timeout_s) is None

    def containers(self) -> list[dict[str, Any]]:
        """What the engine knows of the containers of this copy."""
        return docker.containers(self.name, environ=self.launch.environ)

    def log(self, name: str) -> Path:
        """The file that keeps the log of a service or of a step."""
        return self.launch.workspace / f"{self.launch.label}-{name}.log"

    def logs_tail(self, service: str, lines: int = 40) -> str:
        """The end of a service's current log, or of the kept file once the service is gone."""
        for container in self.containers():
            if docker.service_of(container) == service:
                return docker.logs(container["Id"], lines=lines, environ=self.launch.environ)
        return process.tail(self.log(service), lines=lines)

    def save_logs(self) -> None:
        """Keep the log of every service in a file."""
        for container in self.containers():
            text = docker.logs(container["Id"], lines=LOG_LINES, environ=self.launch.environ, timestamps=True)
            self.log(docker.service_of(container)).write_text(text)


def _up(wait_timeout_s: int) -> tuple[str, ...]:
    return ("up", "-d", "--no-build", "--wait", "--wait-timeout", str(wait_timeout_s))


def _is_unchecked(service: Mapping[str, Any]) -> bool:
    check = service.get("healthcheck") or {}
    return bool(check.get("disable")) or list(check.get("test") or []) == ["NONE"]


def one_shots(services: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The services for whose end another one waits."""
    return {
        name
        for service in services.values()
        for name, how in (service.get("depends_on") or {}).items()
        if how.get("condition") == "service_completed_successfully"
    }


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a service kept the whole project from running, and the next step."""

    service: str
    message: str
    hint: str


def first_problem(
    containers: Iterable[Mapping[str, Any]], services: Mapping[str, Mapping[str, Any]], waited_s: int
) -> Problem | None:
    """
    The problem of the first of *containers* that has one, or None.

    One that failed comes first. One that ended with exit code 0 is a problem only where no service waits for its end.
    """
    awaited = one_shots(services)
    ended_well: list[Problem] = []
    for container in containers:
        name, state = docker.service_of(container), container["State"]
        if state["Status"] == "exited" and state.get("ExitCode") == 0:
            ended_well += [] if name in awaited else [_ended_well(name)]
        elif problem := _failed(name, state, waited_s):
            return problem
    return ended_well[0] if ended_well else None


def _ended_well(name: str) -> Problem:
    return Problem(
        name,
        f"service {name!r} did its work and ended (exit code 0), which `up --wait` takes for a failure",
        f"let another service depend on {name} with condition: service_completed_successfully",
    )


def _failed(name: str, state: Mapping[str, Any], waited_s: int) -> Problem | None:
    health = (state.get("Health") or {}).get("Status", "")
    if state["Status"] in {"exited", "dead", "restarting"}:
        killed = ", out of memory" if state.get("OOMKilled") else ""
        return Problem(
            name,
            f"service {name!r} ended with exit code {state.get('ExitCode')}{killed} before it was ready",
            "start it by hand with `docker compose up` and look at what it says",
        )
    if health in {"starting", "unhealthy"}:
        said = " ".join(str(((state["Health"].get("Log") or [{}])[-1] or {}).get("Output", "")).split())[:300]
        return Problem(
            name,
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
