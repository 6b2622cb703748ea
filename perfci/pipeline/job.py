"""What a job of GitHub Actions asks for beyond its inputs: the base commit that its event names."""

from collections.abc import Mapping
from pathlib import Path

from perfci.errors import ConfigError
from perfci.publish.actions import write_outputs
from perfci.publish.event import Job, read_job


def current(environ: Mapping[str, str]) -> Job | None:
    """The job that perfci runs in, or None outside GitHub Actions; an event that must not run load is refused."""
    return read_job(environ) if environ.get("GITHUB_ACTIONS") == "true" else None


def base_of(job: Job | None, *, load_changed: bool) -> str:
    """
    The base that the event names, or "".

    A dispatch with a load of its own has no stored baseline to match it, so it is compared with the default branch.
    """
    if job is None:
        return ""
    if job.base_sha:
        return job.base_sha
    return f"origin/{job.default_branch}" if load_changed and job.default_branch else ""


def announce(environ: Mapping[str, str]) -> None:
    """Tell the steps that follow what this job's artifact is called; nothing outside GitHub Actions."""
    if (job := current(environ)) is not None and environ.get("GITHUB_OUTPUT"):
        write_outputs(environ, {"artifact-name": f"perfci-{job.key}-{job.attempt}"})


def check_inside_workspace(environ: Mapping[str, str], root: Path) -> None:
    """On a runner, the project lies inside the workspace: a path that leads elsewhere is refused."""
    workspace = environ.get("GITHUB_WORKSPACE", "")
    if environ.get("GITHUB_ACTIONS") == "true" and workspace and not root.is_relative_to(Path(workspace).resolve()):
        raise ConfigError(f"the configuration lies in {root}, outside the workspace", hint="check the input config")
