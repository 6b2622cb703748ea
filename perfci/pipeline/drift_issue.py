"""`perfci trend --issue`: what drifts on the main branch is told in one issue of the repository."""

from collections.abc import Mapping, Sequence

from perfci.errors import ConfigError
from perfci.model import Trend
from perfci.publish.comment import BOT
from perfci.publish.event import read_job
from perfci.publish.issue import Kept, Report, keep_issue
from perfci.report import drift_issue

LABEL = "perfci-drift"
TITLE = "The main branch becomes slower step by step"
GONE = "No series drifts any more."


def keep(trends: Sequence[Trend], environ: Mapping[str, str]) -> Kept:
    """
    Open, update or close the issue about the drifts of *trends*; PublishError where the API refuses.

    ConfigError outside of a job of GitHub Actions, and in one that measured a change.
    """
    token = environ.get("PERFCI_TOKEN", "")
    if environ.get("GITHUB_ACTIONS") != "true" or not token:
        raise ConfigError(
            "an issue is kept from a job of GitHub Actions, with its token in PERFCI_TOKEN",
            hint="leave --issue out to print the trend",
        )
    job = read_job(environ)
    if job.event.startswith("pull_request") or job.event in {"merge_group", "workflow_run"}:
        raise ConfigError(
            f"a job on {job.event} is about a change, and the issue about the main branch",
            hint="keep it from a job on `push`, `schedule` or `workflow_dispatch`",
        )
    report = Report(
        kind="drift",
        title=TITLE,
        label=LABEL,
        body=drift_issue.body(trends),
        subjects=drift_issue.subjects(trends),
        gone=GONE,
    )
    return keep_issue(job, report, token=token, login=environ.get("PERFCI_LOGIN") or BOT)
