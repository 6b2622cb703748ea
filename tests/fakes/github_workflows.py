"""The part of the fake API that starts workflows."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.answers import Answer, Request

NOT_FOUND = Answer(404, {"message": "Not Found"})


@dataclass(kw_only=True)
class WorkflowRun:
    """A run of a workflow for the head *commit* of a pull request."""

    id: int
    commit: str
    status: str = "completed"


@dataclass
class Dispatcher:
    """Workflows by their files, and what was started of them."""

    runs: dict[str, list[WorkflowRun]] = field(default_factory=dict)
    again: list[tuple[int, str]] = field(default_factory=list)  # number of the run, "rerun" or "rerun-failed-jobs"
    started: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)  # file, branch, inputs

    def answer(self, at: str, request: Request, path: str) -> Answer | None:
        """What the API says to *request* for *path* below the repository's own address *at*; None: nothing of ours."""
        if found := re.fullmatch(r"/actions/runs/(\d+)/(rerun|rerun-failed-jobs)", path):
            self.again.append((int(found[1]), found[2]))
            return Answer(201, {})
        found = re.fullmatch(r"/actions/workflows/([^/]+)(/runs|/dispatches)?", path)
        if found is None:
            return None
        file = found[1]
        if file not in self.runs:
            return NOT_FOUND
        url = f"{at}/actions/workflows/{file}"
        if not found[2]:
            return Answer(200, {"id": 1, "url": url})
        if found[2] == "/dispatches":
            self.started.append((file, request.body["ref"], request.body["inputs"]))
            return Answer(204, "")
        head = request.query["head_sha"]
        listed = [self._run(at, each) for each in self.runs[file] if each.commit == head]
        return Answer(200, {"total_count": len(listed), "workflow_runs": listed})

    def _run(self, at: str, run: WorkflowRun) -> dict[str, Any]:
        return {
            "id": run.id,
            "head_sha": run.commit,
            "status": run.status,
            "url": f"{at}/actions/runs/{run.id}",
            "rerun_url": f"{at}/actions/runs/{run.id}/rerun",
            "html_url": f"https://git.example/octo/shop/actions/runs/{run.id}",
        }
