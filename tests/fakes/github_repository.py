"""
The part of the fake API behind which stands a repository: commits, files, artifacts and statuses.

    remote = Remote(folder)                      # a real git repository
    remote.add_run(41, head=sha)
    remote.add_artifact(41, "perfci-shop-1", archive_bytes)
    with FakeGitHub(pulls=[...], remote=remote) as api:
        ...                                      # afterwards look at remote.statuses
"""

import base64
import hashlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from tests.fakes.answers import Answer, Request

NOT_FOUND = Answer(404, {"message": "Not Found"})


@dataclass(kw_only=True)
class StoredArtifact:
    """An artifact of a run; *size* and *digest* are what the API says, whatever the content is."""

    id: int
    run: int
    name: str
    content: bytes
    size: int
    digest: str | None
    expired: bool = False


@dataclass
class Remote:
    """The repository *folder*, and the workflow runs of it."""

    folder: Path
    runs: dict[int, str] = field(default_factory=dict)  # number -> the commit that people see
    artifacts: list[StoredArtifact] = field(default_factory=list)
    statuses: list[dict[str, str]] = field(default_factory=list)
    uploads: Path | None = None  # where act keeps what its jobs upload

    def add_run(self, number: int, *, head: str) -> None:
        """A run for the commit *head*."""
        self.runs[number] = head

    def add_artifact(self, run: int, name: str, content: bytes, **says: Any) -> StoredArtifact:
        """What a job of *run* has uploaded."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        known = {"size": len(content), "digest": digest, **says}
        artifact = StoredArtifact(id=5000 + len(self.artifacts), run=run, name=name, content=content, **known)
        self.artifacts.append(artifact)
        return artifact

    def answer(self, at: str, request: Request, path: str) -> Answer | None:
        """What the API says to *request* for *path* below the repository's own address *at*; None: nothing of ours."""
        if request.method == "POST" and path.startswith("/statuses/"):
            self.statuses.append({"sha": path.removeprefix("/statuses/"), **request.body})
            return Answer(201, {"id": len(self.statuses), **request.body})
        head, _, rest = path.removeprefix("/").partition("/")
        act = self._GET.get(head) if request.method == "GET" else None
        return act(self, at, rest, request.query) if act else None

    def archive(self, number: int) -> bytes:
        """What the storage has of an artifact."""
        return next(each.content for each in self._listed() if each.id == number)

    def _commit(self, at: str, rest: str, _query: Mapping[str, str]) -> Answer | None:
        if "/" in rest:
            return None
        found = self._git("rev-list", "--parents", "--max-count=1", rest).split()
        if not found:
            return Answer(422, {"message": f"No commit found for SHA: {rest}"})
        parents = [{"sha": sha, "url": f"{at}/commits/{sha}"} for sha in found[1:]]
        return Answer(200, {"sha": found[0], "url": f"{at}/commits/{found[0]}", "parents": parents})

    def _contents(self, at: str, path: str, query: Mapping[str, str]) -> Answer:
        path = "" if path == "." else path
        commit = query["ref"]
        listed = self._git("ls-tree", "-z", "--long", commit, "--", f"{path}/" if path else ".").split("\0")[:-1]
        whole = self._git("ls-tree", "-z", "--long", commit, "--", path).split("\0")[:-1] if path else []
        if whole and whole[0].split()[1] == "blob":
            return Answer(200, self._entry(at, whole[0]))
        return Answer(200, [self._entry(at, line) for line in listed]) if listed else NOT_FOUND

    def _entry(self, at: str, line: str) -> dict[str, Any]:
        what, _, path = line.partition("\t")
        mode, _, sha, size = what.split()
        kind = {"040000": "dir", "120000": "symlink", "160000": "submodule"}.get(mode, "file")
        number = 0 if size == "-" else int(size)
        return {
            "name": path.rpartition("/")[2], "path": path, "sha": sha, "type": kind, "size": number,
            "url": f"{at}/contents/{path}",
        }  # fmt: skip

    def _blob(self, at: str, rest: str, _query: Mapping[str, str]) -> Answer:
        sha = rest.removeprefix("blobs/")
        content = self._run("cat-file", "blob", sha).stdout
        encoded = base64.encodebytes(content).decode()
        return Answer(200, {"sha": sha, "encoding": "base64", "content": encoded, "url": f"{at}/git/blobs/{sha}"})

    def _compare(self, at: str, rest: str, _query: Mapping[str, str]) -> Answer:
        base, _, head = rest.partition("...")
        if any(self._run("cat-file", "-e", f"{each}^{{commit}}").returncode for each in (base, head)):
            return NOT_FOUND
        ahead = self._run("merge-base", "--is-ancestor", base, head).returncode == 0
        listed = [
            line.split() for line in self._git("rev-list", "--reverse", "--parents", f"{base}..{head}").splitlines()
        ]
        commits = [{"sha": sha, "parents": [{"sha": each} for each in parents]} for sha, *parents in listed]
        said = {"status": "ahead" if ahead else "diverged", "total_commits": len(commits), "commits": commits}
        return Answer(200, {**said, "url": f"{at}/compare/{rest}"})

    def _actions(self, at: str, rest: str, _query: Mapping[str, str]) -> Answer:
        what, number, *more = rest.split("/")
        if what == "artifacts":
            return Answer(302, "", {"Location": at.replace("127.0.0.1", "localhost") + f"/archives/{number}"})
        if int(number) not in self.runs:
            return NOT_FOUND
        url = f"{at}/actions/runs/{number}"
        if not more:
            said = {"id": int(number), "head_sha": self.runs[int(number)], "artifacts_url": f"{url}/artifacts"}
            return Answer(200, {**said, "url": url})
        listed = [self._artifact(at, each) for each in self._listed() if each.run == int(number)]
        return Answer(200, {"total_count": len(listed), "artifacts": listed})

    def _artifact(self, at: str, each: StoredArtifact) -> dict[str, Any]:
        url = f"{at}/actions/artifacts/{each.id}"
        return {
            "id": each.id,
            "name": each.name,
            "size_in_bytes": each.size,
            "digest": each.digest,
            "expired": each.expired,
            "url": url,
            "archive_download_url": f"{url}/zip",
        }

    def _listed(self) -> list[StoredArtifact]:
        found = list(self.artifacts)
        for file in sorted(self.uploads.glob("*/*/*.zip")) if self.uploads else ():
            content = file.read_bytes()
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            number = int.from_bytes(hashlib.sha256(str(file).encode()).digest()[:4], "big")
            name, run = file.parts[-2], int(file.parts[-3])
            size = len(content)
            found.append(StoredArtifact(id=number, run=run, name=name, content=content, size=size, digest=digest))
        return found

    def _git(self, *arguments: str) -> str:
        return self._run(*arguments).stdout.decode()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *arguments], cwd=self.folder, check=False, capture_output=True, timeout=30)

    _GET: ClassVar[Mapping[str, Callable[..., Answer | None]]] = {
        "commits": _commit,
        "contents": _contents,
        "git": _blob,
        "compare": _compare,
        "actions": _actions,
    }
