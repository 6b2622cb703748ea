"""
Runs workers on other machines, and checks on the master's machine that they have connected.

A worker serves one round after the other. Between them, its Locust is started anew, because each round has a master of
its own at the same address. `inside/perfci_remote.py` has the messages between the two.
"""

import contextlib
import hashlib
import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from perfci import __version__
from perfci.errors import ConfigError, LoadError
from perfci.model import LoadPlan
from perfci.rig.host.process import tail
from perfci.rig.load.causes import cause_of
from perfci.rig.load.generator import OUT, STOP_TIMEOUT_S, Place, generating, locust, removed
from perfci.rig.load.log import LogReader
from perfci.rig.load.recording import events

SPARE_S = 30  # Locust's own limit ends after perfci's, whose message says more
GOODBYE_S = STOP_TIMEOUT_S + 3  # for requests in flight, and the rest of the log
LONGEST_ANSWER = 12  # lines of a worker's log that say why it ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """How many workers a round waits for, where they connect, and how one is started."""

    count: int
    bind: str  # the address of this machine where they connect
    port: int
    wait_s: float
    command: str  # that starts one elsewhere, for messages

    def options(self) -> list[str]:
        """The options of Locust that make it their master."""
        return [
            *("--master", "--master-bind-host", self.bind, "--master-bind-port", str(self.port)),
            *("--expect-workers", str(self.count), "--expect-workers-max-wait", str(int(self.wait_s) + SPARE_S)),
        ]

    def awaited(self, logs: Iterable[LogReader]) -> int:
        """How many workers have not connected yet."""
        return self.count - max((e["places"] for e in events(logs, "admitted")), default=0)

    def missing(self, logs: Iterable[LogReader]) -> LoadError:
        """The error that workers did not connect in time, with those that were refused."""
        logs = list(logs)
        came = self.count - self.awaited(logs)
        refused = {
            f"{e['worker']} was refused: its {e['differs']} is {e['there']}, the one here is {e['here']}"
            for e in events(logs, "refused")
        }
        message = f"{came} of {self.count} workers connected to {self.bind}:{self.port} within {self.wait_s:g} s"
        return LoadError("\n".join([message, *sorted(refused)]), hint=f"start the others: {self.command}")


def invitation(name: str, *, bind: str, port: int) -> str:
    """The command that starts a worker of the scenario *name* on another machine."""
    host = socket.gethostname() if bind in {"*", "0.0.0.0", "::"} else bind  # noqa: S104  # compared, not bound
    return f"perfci worker {name} --master {host}:{port}"


def shared_identity(plan: LoadPlan) -> dict[str, str]:
    """The versions and digests that must be equal on master and worker, by name."""
    scenario = json.dumps(variables(plan), sort_keys=True).encode()
    return {
        "perfci": __version__,
        "locustfile": plan.digest,
        "scenario": hashlib.sha256(scenario).hexdigest()[:16],
    }


def variables(plan: LoadPlan) -> dict[str, str]:
    """The variables of each process that drives users of *plan*."""
    found = dict(plan.environment)
    if plan.endpoints:
        found["PERFCI_ENDPOINTS"] = json.dumps([asdict(each) for each in plan.endpoints])
    if plan.arrivals is not None:
        shared = {**asdict(plan.arrivals), "processes": plan.workers or plan.processes}
        found["PERFCI_ARRIVALS"] = json.dumps(shared)
    return found


def serve(
    plan: LoadPlan,
    place: Place,
    *,
    master: tuple[str, int],
    wait_s: float,
    on_note: Callable[[str], None],
) -> int:
    """
    Drive users for one round after the other, until none has come for *wait_s*; the number of rounds.

    Raises ConfigError where the master refuses this worker, LoadError where there was no round at all.
    """
    rounds = 0
    while _serve_round(plan, place, master=master, wait_s=wait_s):
        rounds += 1
        on_note(f"round {rounds} is over; waiting for the next")
    if not rounds:
        host, port = master
        raise LoadError(
            f"no round at {host}:{port} had room for this worker within {wait_s:g} s",
            hint="start perfci run there, and see that the port is reachable and workers.count is not met already",
        )
    return rounds


def _serve_round(plan: LoadPlan, place: Place, *, master: tuple[str, int], wait_s: float) -> bool:
    """Drive users for one round; False where there was none within *wait_s*."""
    begin, files = locust(plan, place)
    command = [*begin, "--worker", "--master-host", master[0], "--master-port", str(master[1])]
    place.folder.mkdir(parents=True, exist_ok=True)
    (place.folder / OUT).unlink(missing_ok=True)
    with generating(command, place, extra={**variables(plan), **files, **_own_variables(plan, wait_s)}) as generator:
        code = _exit_code(generator.child.process)
        output = generator.output()
    said = tail(place.folder / OUT, lines=LONGEST_ANSWER)
    if code == os.EX_CONFIG:
        raise ConfigError(said, hint="give this machine the same commit, perfci and Locust as the master's")
    if code not in {0, os.EX_UNAVAILABLE}:
        cause = cause_of(output, code, removed(place))
        raise LoadError(f"the worker: {cause}", hint=cause.hint)
    return code == 0


def _exit_code(process: subprocess.Popen[bytes]) -> int:
    """Wait for the exit code. On an interrupt, a worker has GOODBYE_S to upload the rest of its log."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(GOODBYE_S)
        raise


def _own_variables(plan: LoadPlan, wait_s: float) -> Mapping[str, str]:
    about = {"name": socket.gethostname(), "same": shared_identity(plan), "wait_s": wait_s}
    return {"PERFCI_WORKER": json.dumps(about)}
