"""`perfci init`: looks at a repository, asks its service, and proposes the files of a first run."""

import contextlib
import difflib
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from perfci import store
from perfci.errors import ConfigError, PerfciError
from perfci.model import Side
from perfci.pipeline.ports import Ports
from perfci.rig import target
from perfci.rig.discovery import Service
from perfci.rig.host.environment import JobEnvironment
from perfci.starter import texts
from perfci.starter.files import Files
from perfci.starter.guesses import Guess, Start
from perfci.starter.looking import Look, alternatives, chosen, look
from perfci.starter.probing import Probed, not_probed, probe

_T = TypeVar("_T")

PROFILE = "web"
LOCUSTFILE = "load_tests/web.py"
NOTHING_FOUND = (
    "write perfci.toml by hand: docs/configuration.md shows ten lines. Looked for: a compose file, a Dockerfile, a"
    " Procfile, FastAPI, Flask, Django, Express and its like, Go, Rails"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The files that init would write, with all that it guessed."""

    files: Mapping[str, str]  # by path, relative to the project
    guesses: tuple[Guess, ...]
    todo: tuple[str, ...]
    present: frozenset[str]  # those of *files* that are there already, and stay as they are
    profile: str

    def write(self, root: Path) -> None:
        """Write the files that are not there yet."""
        for name, text in self.files.items():
            if name not in self.present:
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                store.write_atomically(root / name, text)

    def diff(self, root: Path) -> str:
        """What the files would change, as a unified diff; a file that is there is compared with the proposal."""
        return "".join(_difference(root / name, name, text) for name, text in self.files.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the caller decides instead of leaving it to a guess."""

    config_file: str = "perfci.toml"
    kind: str | None = None  # of the target
    start: bool = True  # whether the service is started and asked
    minimal: bool = False  # perfci.toml and what it needs alone, without a comment


def propose(ports: Ports, wishes: Wishes) -> Proposal:
    """
    Look at the project's folder and say what to write; ConfigError where nothing shows how the service starts.

    Nothing is written but what the service's own build leaves, below folders that git ignores.
    """
    files = Files(ports.root)
    ports.progress.phase("looking at the repository")
    seen = look(files)
    start = chosen(seen, wishes.kind)
    if start is None:
        what = f" as {wishes.kind}" if wishes.kind else ""
        raise ConfigError(f"nothing in {ports.root.name} shows how its service is started{what}", hint=NOTHING_FOUND)
    start = replace(start, guesses=(*start.guesses, *alternatives(seen, start)))
    probed = _probed(ports, start, seen) if wishes.start else not_probed(start, seen, "it was not started (--no-start)")
    return _proposal(ports.root, start, seen, probed, wishes)


def _probed(ports: Ports, start: Start, seen: Look) -> Probed:
    """What the started service says; where it does not start, what its files say."""
    try:
        with _running(ports, start) as service:
            ports.progress.phase("asking the service for its paths")
            return probe(service, start, seen)
    except PerfciError as error:
        hint = f"; next: {error.hint}" if error.hint else ""
        return not_probed(start, seen, f"it does not start here: {error}{hint}")


@contextlib.contextmanager
def _running(ports: Ports, start: Start) -> Iterator[Service]:
    """The service, built and started once, and stopped in the end."""
    with contextlib.ExitStack() as stack:
        source = ports.root
        for name, text in start.files.items():  # a compose file of ours, for as long as it takes
            if not (source / name).exists():
                store.write_atomically(source / name, text)
                stack.callback((source / name).unlink)
        keep_out_of_git(ports.root / ".perfci")
        options = target.parse({**start.table, "ready": {"tcp": True, "timeout_s": 60.0}}, where="the guess")
        workspace = Path(stack.enter_context(TemporaryDirectory(prefix="perfci-init-")))
        label, environ = f"init-{secrets.token_hex(3)}", JobEnvironment(ports.environ)

        def at(step: Callable[..., _T], **more: object) -> _T:
            return step(
                options,
                source=source,
                workspace=workspace,
                state=ports.state,
                side=Side.CANDIDATE,
                label=label,
                environ=environ,
                **more,
            )

        ports.progress.phase("building the service")
        at(target.prepare)
        ports.progress.phase("starting the service")
        running = stack.enter_context(at(target.start, counted=False))
        yield Service(base_url=running.base_url, verify=running.verify)


def keep_out_of_git(folder: Path) -> None:
    """Make *folder*, with a note that tells git to ignore all of it."""
    folder.mkdir(exist_ok=True)
    if not (folder / ".gitignore").exists():
        store.write_atomically(folder / ".gitignore", "*\n")


def _proposal(root: Path, start: Start, seen: Look, probed: Probed, wishes: Wishes) -> Proposal:
    own = seen.existing.locustfile
    profile = _profile_name(own) if own else PROFILE
    locustfile = own or LOCUSTFILE
    table = {**start.table, "ready": probed.ready}
    written = {
        wishes.config_file: texts.configuration(table, profile=profile, locustfile=locustfile, minimal=wishes.minimal)
    }
    written |= start.files
    guesses = [*start.guesses, *probed.guesses]
    if own:
        guesses.append(Guess("load", own, "it is a Locust file, and is used as it is"))
    else:
        written[LOCUSTFILE] = texts.locustfile(probed.gets, probed.left)
        guesses.append(
            Guess("load", f"{len(probed.gets)} task{'s' * (len(probed.gets) != 1)} in {LOCUSTFILE}", probed.why)
        )
    if not wishes.minimal:
        written |= texts.workflows(f"{profile}:smoke", wishes.config_file)
    return Proposal(
        files=written,
        guesses=tuple(guesses),
        todo=(*start.todo, *probed.todo),
        present=frozenset(name for name in written if (root / name).exists()),
        profile=f"{profile}:smoke",
    )


def _profile_name(locustfile: str) -> str:
    """The name of a profile for a Locust file that is there: that of the file, as far as it is allowed."""
    stem = (
        "".join(each if each.isalnum() or each in "-_" else "-" for each in Path(locustfile).stem).strip("-_").lower()
    )
    return stem if stem and stem.isascii() else PROFILE


def _difference(path: Path, name: str, text: str) -> str:
    try:
        before = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, ValueError):
        before = []
    lines = difflib.unified_diff(
        before, text.splitlines(keepends=True), fromfile=f"a/{name}" if before else "/dev/null", tofile=f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
