"""`perfci history push`: stores runs of the main branch where they outlive the artifacts of their jobs."""

import base64
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from perfci import store
from perfci.config import GateTable, read
from perfci.errors import ConfigError, PublishError
from perfci.judge.trend import follow
from perfci.judge.trend.index import row_of
from perfci.model import Acceptance, HistoryRow, Run, Side
from perfci.pipeline.acceptance import accepted_since
from perfci.pipeline.compare import located
from perfci.pipeline.policy import policy_of
from perfci.pipeline.ports import Ports
from perfci.publish.event import read_job
from perfci.publish.patience import Patience
from perfci.publish.repository import Repository
from perfci.store import history
from perfci.store.history import Archive, Files
from perfci.store.history_branch import BRANCH, REMOTE, HistoryBranch
from perfci.store.history_bucket import bucket_at
from perfci.store.history_folder import HistoryFolder

ASKING_S = 120.0
"""Limit of asking the API what was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """The result of a push: which runs were added and which were not."""

    place: str
    added: tuple[HistoryRow, ...]
    known: int  # were there before
    notes: tuple[str, ...] = ()  # what is not kept with them, and why


def archive(
    ports: Ports, *, folder: Path | None, bucket: str | None = None, remote: str = REMOTE, branch: str = BRANCH
) -> Archive:
    """The history in *folder* or *bucket*, or on a branch of the project's repository where neither is named."""
    if folder is not None and bucket is not None:
        raise ConfigError(
            f"a history is kept in one place, and both {folder} and {bucket} are named",
            hint="give --folder or --bucket, or unset PERFCI_HISTORY_FOLDER or PERFCI_HISTORY_BUCKET",
        )
    if bucket is not None:
        return bucket_at(bucket)
    if folder is not None:
        return HistoryFolder(folder)
    return HistoryBranch(root=ports.root, environ=with_token(ports.environ), remote=remote, branch=branch)


def with_token(environ: Mapping[str, str]) -> Mapping[str, str]:
    """
    *environ* for git, in which the token in PERFCI_TOKEN is the password for this job's server, and for no other.

    By variables: every user of the machine can read arguments, and every later step a configuration file.
    """
    token, server = environ.get("PERFCI_TOKEN", ""), environ.get("GITHUB_SERVER_URL", "")
    if not token or not server.startswith("https://"):
        return environ
    count = int(number) if (number := environ.get("GIT_CONFIG_COUNT", "")).isdecimal() else 0
    login = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    return {
        **environ,
        "GIT_CONFIG_COUNT": str(count + 1),
        f"GIT_CONFIG_KEY_{count}": f"http.{server}/.extraheader",
        f"GIT_CONFIG_VALUE_{count}": f"AUTHORIZATION: basic {login}",
    }


def push(paths: Sequence[Path], place: Archive, *, config_file: Path, ports: Ports) -> Pushed:
    """
    Add each run of *paths* (folder, file or id) to the history; runs that it already has are skipped.

    Runs are added whatever their verdict: one whose numbers prove nothing is kept, and excluded from every trend.
    """
    config = read(config_file) if config_file.exists() else None
    runs = [store.load(located(path, config_file.parent)) for path in paths]
    for run in runs:
        if run.origin.imported:
            raise ConfigError(
                f"run {run.id} is a file of {run.origin.tool}, which names neither commit nor machine",
                hint="a history keeps what perfci measured",
            )
    url = _page_of_job(ports)
    notes: list[str] = []
    acceptances = _acceptances(runs, place, ports, notes) if url else {}
    added: list[HistoryRow] = []

    def change(files: Files) -> dict[str, str]:
        added.clear()
        written: dict[str, str] = {}
        for name in sorted({(run.profile, run.scenario) for run in runs}):
            policy = policy_of(config.gate if config else GateTable(), *name)
            known = history.rows(files, *name)
            own = {run.id: run for run in runs if (run.profile, run.scenario) == name}
            absent = [run for id_, run in own.items() if all(row.run != id_ for row in known)]
            new = [
                (
                    replace(row_of(run, policy, url=url), acceptances=acceptances.get(run.id, ())),
                    store.text(store.without_seconds(run)),
                )
                for run in absent
            ]
            if new:
                rows = history.in_order([*known, *(row for row, _ in new)])
                found = follow.changes(rows, policy, history.changes(files, *name))
                written |= history.added(files, *name, new) | history.changed(*name, found)
                added.extend(row for row, _ in new)
        return written

    place.update(change, message=_message(runs))
    return Pushed(place=place.name, added=tuple(added), known=len(runs) - len(added), notes=tuple(notes))


def _acceptances(
    runs: Sequence[Run], place: Archive, ports: Ports, notes: list[str]
) -> dict[str, tuple[Acceptance, ...]]:
    """
    What comments have accepted in the pull requests merged since the run before, by the id of each run.

    Nothing without a token; where the API does not answer, *notes* say so, and the run is kept all the same.
    """
    token = ports.environ.get("PERFCI_TOKEN", "")
    if not token:
        return {}
    files, found = place.files(), {}
    with closing(Repository(job=read_job(ports.environ), token=token, patience=Patience(ASKING_S))) as repository:
        for run in runs:
            commit = run.commits.get(Side.CANDIDATE, "")
            before = [
                row.commit for row in history.rows(files, run.profile, run.scenario) if row.created_at < run.created_at
            ]
            since = next((each for each in reversed(before) if each), "")
            if not commit or commit == since:
                continue
            try:
                found[run.id] = accepted_since(since, commit, repository)
            except PublishError as error:
                notes.append(f"what comments have accepted is not kept with run {run.id}: {error}")
    return found


def _page_of_job(ports: Ports) -> str:
    """The URL of this job, "" outside of GitHub Actions; ConfigError where it measures no commit of a branch."""
    if ports.environ.get("GITHUB_ACTIONS") != "true":
        return ""
    job = read_job(ports.environ)
    if job.event.startswith("pull_request") or job.event == "merge_group":
        raise ConfigError(
            f"a job on {job.event} measured a change, and a history keeps runs of the main branch",
            hint="push from a job on `push`, `schedule` or `workflow_dispatch`",
        )
    return job.run_url


def _message(runs: Sequence[Run]) -> str:
    names = ", ".join(sorted({run.name for run in runs}))
    return f"{len(runs)} run{'' if len(runs) == 1 else 's'} of {names}\n"
