"""The part of the fake API that keeps issues, which are no pull requests."""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.answers import Answer, Request

BOT = "github-actions[bot]"


@dataclass(kw_only=True)
class Issue:
    """An issue."""

    number: int
    title: str
    body: str
    login: str = BOT
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # its comments


@dataclass
class Tracker:
    """The issues of a repository; whatever the job's token opens is of `BOT`."""

    issues: list[Issue] = field(default_factory=list)

    def add(self, body: str, **says: Any) -> Issue:
        """An issue."""
        issue = Issue(number=100 + len(self.issues), body=body, **{"title": "an issue", **says})
        self.issues.append(issue)
        return issue

    def answer(self, at: str, request: Request, path: str) -> Answer | None:
        """What the API says to *request* for *path* below the repository's own address *at*; None: nothing of ours."""
        if path == "/issues" and request.method == "POST":
            made = self.add(request.body["body"], title=request.body["title"], labels=request.body["labels"])
            return Answer(201, self._shown(at, made))
        if path == "/issues":
            wanted = request.query.get("state", "open")
            labels = set(filter(None, request.query.get("labels", "").split(",")))
            listed = [each for each in self.issues if wanted in {"all", each.state} and labels <= set(each.labels)]
            return Answer(200, [self._shown(at, each) for each in listed])
        found = re.fullmatch(r"/issues/(\d+)(/comments)?", path)
        issue = next((each for each in self.issues if found and each.number == int(found[1])), None)
        if issue is None or found is None:
            return None
        if found[2]:
            issue.said.append(request.body["body"])
            return Answer(201, {"id": len(issue.said), "body": request.body["body"], "url": f"{at}/issues/comments/1"})
        for name in ("body", "state"):
            setattr(issue, name, request.body.get(name, getattr(issue, name)))
        return Answer(200, self._shown(at, issue))

    def _shown(self, at: str, issue: Issue) -> dict[str, Any]:
        return {
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": issue.state,
            "user": {"login": issue.login},
            "labels": [{"name": name} for name in issue.labels],
            "url": f"{at}/issues/{issue.number}",
            "html_url": f"https://git.example/octo/shop/issues/{issue.number}",
        }
