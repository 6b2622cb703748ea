"""
What can go wrong, and what must be seen.

`FAULTS` is the list. A test that makes one of them happen for real says so with `@fault(...)`, and asserts what it says
there; `docs/faults.md` is written from it (`python -m tests.faults.table`). A row without a test is a failure.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from perfci.errors import ExitCode
from perfci.model import Verdict

FAULTS: Mapping[str, Sequence[str]] = {
    "configuration": (
        "file missing",
        "not TOML",
        "not UTF-8",
        "unknown key",
        "wrong type",
        "unknown profile",
        "unknown scenario",
        "contradictory limits",
        "path outside the project",
    ),
    "base": (
        "mistyped name",
        "shallow clone of a pull request",
        "the folder belongs to another user",
        "a submodule lacks the commit",
        "a file of an earlier step is missing",
    ),
    "target": (
        "docker missing",
        "engine not running",
        "compose file invalid",
        "image build fails",
        "port taken",
        "never ready",
        "ready, then exits",
        "restarts during load",
        "slow to stop",
        "ignores SIGTERM",
        "readiness answers 500",
        "redirects to another host",
    ),
    "seed": ("target refuses", "half done, then fails", "seeded twice", "clean-up fails"),
    "load": (
        "locustfile missing",
        "syntax error",
        "raises at import",
        "no user class",
        "no task",
        "needs a missing environment variable",
        "uses an API that Locust removed",
        "zero requests",
        "every request fails fast",
        "every request hangs",
        "target dies half-way",
        "a worker dies",
        "a worker never connects",
        "the generator is saturated",
        "users not reached",
        "only task exceptions",
        "disk full while recording",
        "clock steps back",
    ),
    "results": (
        "empty file",
        "truncated file",
        "not JSON",
        "another schema version",
        "numbers that are none (NaN, infinite)",
        "negative counts",
        "duplicate endpoints",
        "5,000 endpoints",
        "names of 10 kB",
        "another profile's baseline",
        "another machine's baseline",
        "another seed's baseline",
        "another load plan's baseline",
        "zero variance",
        "one round only",
        "error rate 0 in every baseline run",
    ),
    "comparing": (
        "endpoint only on one side",
        "all endpoints on one side",
        "answers became smaller",
        "too few requests for the quantile",
        "bimodal rounds",
        "one outlier round",
        "drift during the run",
    ),
    "publishing": (
        "every HTTP failure of the API",
        "two comments with our marker",
        "pull request closed",
        "pull request locked",
        "another commit was pushed",
        "connection cut",
        "the API asks to wait for an hour",
        "body too long",
        "token missing",
        "summary file missing",
        "summary file read-only",
        "artifact folder missing",
    ),
    "interruption": (
        "SIGINT",
        "SIGTERM",
        "SIGKILL of perfci itself",
        "the job's time-out",
        "what a killed perfci left",
    ),
}
"""Where -> what can go wrong there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault as a user meets it. In *seen* and *then*, an ellipsis stands for anything."""

    where: str
    what: str
    case: str = ""  # what tells this row from others of the same fault
    seen: str
    then: str = ""  # the next step that is told
    exit: ExitCode
    verdict: Verdict | None = None  # None: nothing was judged

    def check(self, *, code: int, text: str) -> None:
        """The exit code, the cause and the next step are as this row says, and perfci did not crash."""
        plain = " ".join(text.split())
        assert code == self.exit, text
        assert "perfci/cli/__init__.py" not in plain, text  # every traceback of perfci's own passes there
        for phrase in filter(None, (self.seen, self.then)):
            assert re.search(".*?".join(map(re.escape, phrase.split("…"))), plain), f"{phrase!r} not in: {text}"


def fault(
    where: str,
    what: str,
    *,
    seen: str,
    then: str = "",
    exit: ExitCode | int,  # noqa: A002 - as the table's column
    verdict: Verdict | None = None,
    case: str = "",
) -> pytest.MarkDecorator:
    """The mark of a test that makes this fault happen."""
    if what not in FAULTS[where]:
        raise KeyError(f"{what!r} is not in the list of what can go wrong with {where}")
    row = Fault(where=where, what=what, seen=seen, then=then, exit=ExitCode(exit), verdict=verdict, case=case)
    return pytest.mark.fault(row)
