"""Starts workflows: a run for a commit once more, all of it or what failed, and a workflow that is started by hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from perfci.errors import PublishError
from perfci.publish.repository import Repository

if TYPE_CHECKING:
    from github.WorkflowRun import WorkflowRun

FILE = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}\.ya?ml"
"""The name of a workflow's file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an open pull request is about."""

    commit: str
    branch: str  # "" where it is in another repository


@dataclass(frozen=True, kw_only=True)
class Workflows(Repository):
    """The workflows of the repository of a job, whose token may start them."""

    def head(self, number: int) -> Head | None:
        """The head of an open pull request; None where there is none."""
        found = self._ask(f"pull request #{number}", lambda: self._at.get_pull(number))
        if found is None or found.state != "open":
            return None
        home = getattr(found.head.repo, "full_name", "")  # a fork may be deleted
        return Head(commit=found.head.sha, branch=found.head.ref if home == self.job.repository else "")

    def newest(self, file: str, commit: str) -> "WorkflowRun | None":
        """The newest run of the workflow *file* for a pull request with the head *commit*."""

        def asked() -> "list[WorkflowRun]":
            runs = self._at.get_workflow(file).get_runs(head_sha=commit, event="pull_request")
            return list(runs.get_page(0))

        return max(self._ask(f"the runs of {file}", asked) or [], key=lambda run: run.id, default=None)

    def run_again(self, run: "WorkflowRun", *, failed: bool) -> None:
        """Start *run* again: all of its jobs, or those that *failed* and what comes after them."""
        again = run.rerun_failed_jobs if failed else run.rerun
        if not self._ask("to start the run again", again):
            raise PublishError(
                f"the run {run.html_url} could not be started again",
                hint="the job needs `actions: write`; a run older than 30 days is never started again",
            )

    def start(self, file: str, branch: str, inputs: Mapping[str, str]) -> None:
        """Start the workflow *file* by hand on *branch*."""
        workflow = self._ask(f"the workflow {file}", partial(self._at.get_workflow, file))
        started = workflow and self._ask(
            f"to start {file}", lambda: workflow.create_dispatch(branch, dict(inputs), throw=True)
        )
        if not started:
            raise PublishError(
                f"the workflow {file} could not be started on {branch}",
                hint=f"it needs `on: workflow_dispatch` there, with the inputs {', '.join(inputs)}",
            )
