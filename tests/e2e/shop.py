"""A user's repository for the end-to-end tests: the demo service with a workflow that calls the Action."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perfci.rig.host.free_port import free_port
from tests.fakes.github import FakeGitHub

ROOT = Path(__file__).parents[2]
ACTION = "perfci/perfci@v1"
UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a"
TOKEN = "ghs_aTokenThatMustNeverBeSeenAnywhere0123456789"
WORKFLOW = """
name: performance
on: pull_request
permissions: {}
jobs:
  gate:
    runs-on: ubuntu-24.04
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: actions/checkout@v7
        with:
          fetch-depth: 0
      - uses: perfci/perfci@v1
        id: perfci
        with:
          profile: PROFILE
          environment: compose
          against: AGAINST
          blocks: "BLOCKS"
          rounds: "ROUNDS"
          census: "CENSUS"
          index-url: "INDEX"
      - if: ${{ always() }}
        shell: bash
        env:
          VERDICT: ${{ steps.perfci.outputs.verdict }}
          STATUS: ${{ steps.perfci.outputs.comment-status }}
        run: echo "seen-by-the-caller verdict=$VERDICT comment=$STATUS path=$PATH"
"""
# Two of them: turns alone, and turns with load. One user class: its eleven endpoints share the seconds, so that each is
# known well enough after a few minutes. One user: a queue would make every slow moment of the machine several times as
# long, in the stored runs, too.
SCENARIO = """
[profiles.tickets.scenarios.NAME]
user_classes = ["RegularUser"]
users = 1
spawn_rate = 1
duration = "8s"
warmup = "1s"
environment = { TICKETS_THINK_SCALE = "0.005" }
paired = { blocks = 6, duet = "14s", duet_warmup = "2s", load_blocks = LOAD }
baseline = { rounds = 3 }
"""


# Two endpoints take all the turns, so that ten percent on one of them are known after a minute.
READERS = """
[profiles.readers]
locustfile = "load_tests/readers.py"

[profiles.readers.scenarios.e2e]
user_classes = ["Reader"]
users = 1
environment = { TICKETS_THINK_SCALE = "0.005" }
paired = { blocks = 6, duet = "8s", duet_warmup = "1s", load_blocks = 0 }
"""
READERS_FILE = """
from tickets import Person


class Reader(Person):
    abstract = False
    tasks = [Person.list_tickets, Person.profile]
"""


@dataclass(frozen=True, kw_only=True)
class Job:
    """How a job ended."""

    code: int
    log: str
    artifact: Path | None

    @property
    def green(self) -> bool:
        return self.code == 0


class Shop:
    """The repository, with its base on `main` and a pull request on `change`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder / "shop"
        self._action = folder / "perfci"
        self._scratch = folder
        # act copies its actions below the home folder; a home of our own keeps two tests apart.
        self._environ = {**environ, "XDG_CACHE_HOME": str(folder / "cache"), "XDG_STATE_HOME": str(folder / "state")}
        copy_action(self._action)
        self._copy_service()

    def git(self, *arguments: str, folder: Path | None = None) -> str:
        """Run git as somebody."""
        identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.test", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=folder or self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        """Commit everything; the hash."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def workflow(
        self, *, against: str, blocks: int, rounds: int = 3, census: str = "off", profile: str = "tickets:e2e"
    ) -> None:
        """Let the workflow compare with *against*: so many *blocks* side by side, or *rounds* for the stored runs."""
        file = self.folder / ".github" / "workflows" / "performance.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            _filled(AGAINST=against, BLOCKS=str(blocks), ROUNDS=str(rounds), CENSUS=census, PROFILE=profile)
        )

    def change(self, *, slow: str = "", faults: str = "", **job: Any) -> str:
        """A new branch `change` on top of main, a service as DEMO_SLOW and DEMO_FAULTS say; the hash."""
        self.git("checkout", "--quiet", "-B", "change", "main")
        self.workflow(**job)
        file = self.folder / "compose.yaml"
        before = file.read_text()
        file.write_text(before.replace("${DEMO_SLOW:-}", slow).replace("${DEMO_FAULTS:-}", faults))
        assert file.read_text() != before
        return self.commit("a change")

    def perfci(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The CLI, as a developer would call it in the repository."""
        command = [str(ROOT / ".venv" / "bin" / "perfci"), *arguments]
        return subprocess.run(command, cwd=self.folder, env=self._environ, check=False, capture_output=True, text=True)

    def job(self, api: FakeGitHub, *, head: str, number: int) -> Job:
        """Run the workflow for the pull request as a runner would."""
        event = self._scratch / "event.json"
        port = free_port()
        base = self.git("rev-parse", "main")
        repository = {"full_name": api.repository, "default_branch": "main"}
        pull = {
            "number": number,
            "head": {"sha": head, "ref": "change", "label": "octo:change", "repo": repository},
            "base": {"sha": base, "ref": "main", "repo": repository},
        }
        event.write_text(json.dumps({"pull_request": pull, "number": number, "repository": repository}))
        artifacts = self._scratch / f"artifacts-{port}"
        command = ["act", "pull_request", "-W", ".github/workflows/performance.yml", "-e", str(event)]
        command += ["-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode", "--no-cache-server"]
        command += ["--artifact-server-path", str(artifacts), "--artifact-server-addr", "127.0.0.1"]
        command += ["--artifact-server-port", str(port), "-s", f"GITHUB_TOKEN={TOKEN}"]
        command += ["--env", f"GITHUB_API_URL={api.url}", "--env", "GITHUB_SERVER_URL=http://git.localhost:9"]
        command += ["--env", f"GITHUB_REPOSITORY={api.repository}"]
        command += ["--local-repository", f"{ACTION}={self._action}"]
        command += ["--local-repository", f"{UPLOAD}={self._environ['PERFCI_UPLOAD_ARTIFACT']}"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environ,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1200,
        )
        (self._scratch / f"job-{port}.log").write_text(done.stdout)
        return Job(code=done.returncode, log=done.stdout, artifact=next(artifacts.rglob("*.zip"), None))

    def _copy_service(self) -> None:
        self.folder.mkdir(parents=True)
        for name in ("demo", "load_tests"):
            shutil.copytree(ROOT / name, self.folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("Dockerfile", "compose.yaml", ".dockerignore", ".gitignore"):
            shutil.copy(ROOT / name, self.folder / name)
        (self.folder / "perfci.toml").write_text(
            (ROOT / "perfci.toml").read_text() + _scenario("e2e", 0) + _scenario("whole", 2) + READERS
        )
        (self.folder / "load_tests" / "readers.py").write_text(READERS_FILE.lstrip())
        self.git("init", "--quiet", "--initial-branch", "main")
        self.workflow(against="auto", blocks=6)
        self.commit("the service")


def copy_action(to: Path) -> None:
    """The Action as it is in this working tree, in a repository of its own with the tag v1."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (source := ROOT / name).is_file():
            (target := to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    identity = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.test", "-c", "commit.gpgsign=false")
    for arguments in (
        ["init", "-q", "-b", "main"],
        ["add", "--all"],
        ["commit", "-q", "-m", "the action"],
        ["tag", "v1"],
    ):
        subprocess.run(["git", *identity, *arguments], cwd=to, check=True, capture_output=True, text=True)


def _filled(**places: str) -> str:
    text = WORKFLOW.lstrip()
    # The index of the machine that the tests run on, if it has one of its own: the set-up reads no such variable.
    for place, value in {**places, "INDEX": os.environ.get("PIP_INDEX_URL", "")}.items():
        text = text.replace(place, value)
    return text


def _scenario(name: str, load_blocks: int) -> str:
    return SCENARIO.replace("NAME", name).replace("LOAD", str(load_blocks))


def containers() -> set[str]:
    """Every container that the engine has, running or not, that a target of perfci's started."""
    listed = subprocess.run(
        ["docker", "ps", "-a", "--format", "{{.Names}}"], check=True, capture_output=True, text=True, env=os.environ
    )
    return {name for name in listed.stdout.split() if name.startswith("perfci-")}
