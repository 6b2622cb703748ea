"""Writes the texts of perfci.toml, the first Locust file and the workflows."""

import json
import re
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files as resources

from perfci import __version__
from perfci.starter.guesses import Get, LeftOut

REPOSITORY = "perfci/perfci"
GATE = ".github/workflows/performance.yml"
FORKS = ".github/workflows/performance-forks.yml"
_KEYWORDS = frozenset({"", "class", "def", "from", "import", "is", "in", "not", "pass", "return", "with"})


def configuration(target: Mapping[str, object], *, profile: str, locustfile: str, minimal: bool) -> str:
    """The text of perfci.toml."""
    head = "" if minimal else "# Written by `perfci init`. docs/configuration.md of perfci names every key.\n"
    lines = [f"{key} = {toml(value)}" for key, value in target.items()]
    scenario = "users = 10\n"
    if not minimal:
        scenario += (
            'duration = "12s" # of the measured part of a load round\n'
            'paired.blocks = "3-12" # starts of both sides: as many as it takes to decide\n'
        )
    return (
        f"{head}[target]\n" + "\n".join(lines) + f"\n\n[profiles.{profile}]\nlocustfile = {toml(locustfile)}\n\n"
        f"[profiles.{profile}.scenarios.smoke]\n{scenario}"
    )


def toml(value: object) -> str:
    """A value as inline TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def locustfile(gets: Sequence[Get], left: Sequence[LeftOut]) -> str:
    """A Locust file with a task for each of *gets*; endpoints that are left out are listed in a comment."""
    tasks, used = [], set[str]()
    for get in gets:
        function = _function(get.name, used)
        named = "" if get.path == get.name else f", name={_literal(get.name)}"
        tasks.append(f"    @task\n    def {function}(self):\n        self.client.get({_literal(get.path)}{named})\n")
    comment = "".join(f"# {_one_line(each.name)}: {_one_line(each.why)}\n" for each in left)
    if comment:
        comment = "\n\n# Left out, for you to add:\n" + comment
    return (
        '"""The load on the service, written by `perfci init`: a place to start from."""\n\n'
        "from locust import HttpUser, between, task\n\n\n"
        "class Visitor(HttpUser):\n"
        '    """Asks one endpoint after the other, and changes nothing."""\n\n'
        "    wait_time = between(0.5, 1.5)\n\n" + "\n".join(tasks) + comment
    )


def _literal(text: str) -> str:
    """An ASCII Python literal, quoted as formatters do."""
    return json.dumps(text) if text.isascii() else ascii(text)


def _one_line(text: str) -> str:
    """*text* as part of a comment: nothing in it can end the line or the file."""
    return "".join(each if each.isprintable() else " " for each in text)[:160]


def _function(name: str, used: set[str]) -> str:
    """A function name for an endpoint that is not among those *used*."""
    words = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_").lower()
    plain = f"get_{words}" if words not in _KEYWORDS else "get_root"
    found, number = plain, 2
    while found in used:
        found, number = f"{plain}_{number}", number + 1
    used.add(found)
    return found


def workflows(profile: str, config: str) -> Mapping[str, str]:
    """The workflow that gates pull requests, and the one that publishes the result of a fork's pull request."""
    inputs = f"      profile: {profile}\n" + (f"      config: {config}\n" if config != "perfci.toml" else "")
    gate = f"""\
# Written by `perfci init`. Require the check `gate / Judge`.
name: performance
on: [pull_request, merge_group]
permissions: {{}}
concurrency:
  group: performance-${{{{ github.ref }}}}
  cancel-in-progress: true
jobs:
  gate:
    name: gate
    permissions:
      actions: read # the artifact of the job that measures
      contents: read # the change and its base
      pull-requests: write # the comment
      statuses: write # the commit status
    {_uses("gate.yml")}
    with:
{inputs}"""
    forks = f"""\
# Written by `perfci init`. Comments on pull requests from forks, whose own jobs may not write.
name: performance of forks
on: # zizmor: ignore[dangerous-triggers] no code of the change is checked out: it reads an artifact, as a claim
  workflow_run:
    workflows: [performance]
    types: [completed]
permissions: {{}}
concurrency:
  group: performance-forks-${{{{ github.event.workflow_run.id }}}}
  cancel-in-progress: false
jobs:
  publish:
    name: publish
    if: >-
      github.event.workflow_run.head_repository.full_name != github.repository
      || github.event.workflow_run.actor.login == 'dependabot[bot]'
    permissions:
      actions: read # the artifact of the job that measures
      contents: read # the base's perfci.toml
      pull-requests: write # the comment
      statuses: write # the commit status
    {_uses("publish.yml")}
    with:
{inputs}"""
    return {GATE: gate, FORKS: forks}


def _uses(workflow: str) -> str:
    """The line that calls a perfci workflow, pinned to the commit that this perfci was built from, if known."""
    called, commit = f"{REPOSITORY}/.github/workflows/{workflow}", built_from()
    if commit:
        return f"uses: {called}@{commit} # v{__version__}"
    return f"uses: {called}@v1 # zizmor: ignore[unpinned-uses] better the commit of a release, which Dependabot renews"


def built_from() -> str:
    """The commit of perfci's repository that this perfci was built from; empty where it is unknown."""
    noted = resources("perfci.starter") / "commit.txt"  # the release workflow writes it
    text = noted.read_text().strip() if noted.is_file() else ""
    if not text:
        try:
            origin = json.loads(distribution("perfci").read_text("direct_url.json") or "{}")
        except (PackageNotFoundError, ValueError):
            origin = {}
        text = str(origin.get("vcs_info", {}).get("commit_id", ""))
    return text if re.fullmatch(r"[0-9a-f]{40}", text) else ""
