"""What GitHub Actions adds to a run: the base commit of the event, and the key of the gate."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from perfci.errors import ConfigError
from perfci.pipeline.reference import NamedBase
from perfci.publish.actions import write_outputs
from perfci.publish.event import Job, read_job
from perfci.publish.key import Measured, key_of
from perfci.rig.host.git import Git, History
from perfci.store import RunFolder, write_atomically

MAX_GATE_BYTES = 1 << 16

_STRANGERS = re.compile(r"pull_request.*|issue_comment|workflow_run|$")
"""
Triggers of a workflow_run that a fork's pull request may have caused; unless the event names one, it is not trusted.
"""


def current(environ: Mapping[str, str]) -> Job | None:
    """The job that perfci runs in, or None outside GitHub Actions; an error for an event that must not run load."""
    if environ.get("GITHUB_ACTIONS") != "true":
        return None
    job = read_job(environ)
    if job.event == "workflow_run" and (job.is_fork or _STRANGERS.match(job.trigger)):
        raise ConfigError(
            "perfci does not run on workflow_run after a pull request: that event runs with write access, and a load"
            " test runs code of the pull request",
            hint="measure on `pull_request`; a workflow_run may publish what was measured there: `perfci publish`",
        )
    return job


def named_base(job: Job | None, git: Git, *, given: str, load_changed: bool) -> NamedBase:
    """The base that the user has *given*, or else the one of the job."""
    if given:
        return NamedBase(ref=given, required=True, by_user=True)
    if job is None:
        return NamedBase()
    return base_of(job, git.history(_names_of_base(job)), load_changed=load_changed)


def base_of(job: Job, history: History, *, load_changed: bool) -> NamedBase:
    """
    The base commit of the job's event; *history* holds the checkout and the branch that it is merged into.

    A dispatch with a load of its own has no stored baseline to match it, so it is compared with the default branch.
    """
    match job.event:
        case "merge_group":
            return _of_event(job, "the parent of the merge group")
        case "push":
            return NamedBase(ref=job.base_sha, role="the commit before the push" if job.base_sha else "")
        case _ if job.event.startswith("pull_request"):
            return _base_of_pull_request(job, history)
        case _ if load_changed and job.default_branch:
            return NamedBase(ref=f"origin/{job.default_branch}")
        case _:
            return NamedBase()


def _base_of_pull_request(job: Job, history: History) -> NamedBase:
    """
    The first parent of the checked-out merge commit, else the merge base.

    The base commit that the event names may be older than either: it is the tip of the branch at the last push.
    """
    stale = f"; the event names {job.base_sha[:7]}" if job.base_sha else ""
    match history.parents:
        case (base, head) if job.head_sha and head == job.head_sha:
            role = "the first parent of the merge" + (stale if base != job.base_sha else "")
            return NamedBase(ref=base, role=role, required=True, fetch_depth=2)
    if history.fork:
        role = f"the merge base with {job.base_ref or 'the base branch'}"
        return NamedBase(ref=history.fork, role=role + (stale if history.fork != job.base_sha else ""), required=True)
    if history.shallow:
        return NamedBase(
            required=True,
            problem=f"the merge base with {job.base_ref or 'the base branch'} is not in this clone, which is shallow",
            step="check out the merge of the pull request (actions/checkout without `ref`) with `fetch-depth: 2`,"
            " or any other commit with `fetch-depth: 0`",
        )
    return _of_event(job, "the base commit of the event")


def _of_event(job: Job, role: str) -> NamedBase:
    if job.base_sha:
        return NamedBase(ref=job.base_sha, role=role, required=True)
    step = "GITHUB_EVENT_PATH holds the event; the input `base` or --base names another base"
    return NamedBase(required=True, problem=f"the event {job.event} names no base commit", step=step)


def _names_of_base(job: Job) -> list[str]:
    return [name for name in (job.base_sha, f"refs/remotes/origin/{job.base_ref}" if job.base_ref else "") if name]


def announce(
    environ: Mapping[str, str], folder: Path | None, *, profile: str, config: str = "", environment: str = ""
) -> None:
    """
    Publish the name of this job's artifact to later steps, and write the parts of the gate's key into *folder*.

    The step that publishes makes the key again: of its own environment, and of what stands in the folder, since the
    profile may have been an argument. Nothing is done outside GitHub Actions.
    """
    if (job := current(environ)) is None:
        return
    measured = Measured(profile=profile, config=config, environment=environment)
    if folder is not None:
        keep_gate(folder, measured)
    if environ.get("GITHUB_OUTPUT"):
        write_outputs(environ, {"artifact-name": f"perfci-{key_of(environ, measured)}-{job.attempt}"})


def keep_gate(folder: Path, measured: Measured) -> None:
    """Write the parts of the gate's key into *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(RunFolder(folder).gate, json.dumps(asdict(measured), indent=2) + "\n")


def measured_in(folder: Path) -> Measured:
    """Read what `announce` wrote into *folder*; empty where the file is gone or was overwritten since."""
    try:
        with RunFolder(folder).gate.open("rb") as file:
            content = json.loads(file.read(MAX_GATE_BYTES))
        texts = {name: content[name] for name in ("profile", "config", "environment")}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return Measured()
    return Measured(**texts) if all(isinstance(text, str) for text in texts.values()) else Measured()


def check_run_inside_workspace(environ: Mapping[str, str], run: Path) -> None:
    """Refuse a *run* to repeat that lies outside of a runner's workspace, wherever links lead."""
    inside = _workspace(environ)
    if inside is not None and not run.resolve().is_relative_to(inside):
        raise ConfigError(f"the run {run} lies outside the workspace", hint="check the input confirm")


def _workspace(environ: Mapping[str, str]) -> Path | None:
    """The folder of a runner's job; None outside of GitHub Actions."""
    workspace = environ.get("GITHUB_WORKSPACE", "")
    return Path(workspace).resolve() if workspace and environ.get("GITHUB_ACTIONS") == "true" else None


def check_inside_workspace(environ: Mapping[str, str], root: Path, file: str) -> None:
    """Refuse a project or configuration *file* outside of a runner's workspace, wherever links lead."""
    inside = _workspace(environ)
    if inside is None:
        return
    if not root.is_relative_to(inside):
        raise ConfigError(f"the configuration lies in {root}, outside the workspace", hint="check the input config")
    if not (there := (root / file).resolve()).is_relative_to(inside):
        raise ConfigError(
            f"the configuration {file} is a link to {there}, outside the workspace",
            hint="check the input config: it names a file of the repository",
        )
