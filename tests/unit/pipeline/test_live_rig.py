"""A side made ready by the real rig: files of earlier steps, and what is told where the base lacks them."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from perfci.config import from_bytes
from perfci.errors import BaseTargetError, DataThereError, SeedError, TargetError
from perfci.model import Side, TargetHealth
from perfci.pipeline.live_rig import LiveRig
from perfci.pipeline.plan import Overrides, SideSource, plan_of, source_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.rig import RigSpec
from perfci.rig import seed, target
from perfci.rig.host.checkout import work_tree
from perfci.rig.host.environment import of_job
from perfci.rig.host.git import Git
from perfci.rig.seed import Seeded
from perfci.rig.target import RunningTarget
from tests.unit.pipeline.conftest import CONFIG, run_git

COMMAND = 'command = ["cat", "settings"]\nenv = { PORT = "{port}" }'
READS_SETTINGS = CONFIG.replace('command = ["{python}", "-m", "service", "--port", "{port}"]', COMMAND)
PREPARED = READS_SETTINGS.replace(
    "[profiles.tickets]", 'prepare = { copy = ["settings", "tracked"] }\n[profiles.tickets]'
)


@pytest.fixture
def rig(ports: Ports, project: Path, tmp_path: Path) -> Callable[[str, Path], LiveRig]:
    """A rig whose base lies in a folder; the candidate is the working tree, in which a step made `settings`."""
    (project / "settings").write_text("rows = 40")

    def made(content: str, base: Path) -> LiveRig:
        config = from_bytes(content.encode(), where="perfci.toml")
        trees = {Side.BASE: base, Side.CANDIDATE: project}
        sources: dict[Side, SideSource] = {
            side: source_of(config, tree=tree, file="perfci.toml") for side, tree in trees.items()
        }
        spec = RigSpec(
            plan=plan_of(config, "tickets", Overrides(), root=project),
            sources=sources,
            load_tree=project,
            run_id="run",
            folder=tmp_path / "run",
            environ=of_job(ports.environ),
            working_tree=project,
            state=ports.state,
            progress=ports.progress,
        )
        return LiveRig(spec)

    return made


def _start(rig: LiveRig, side: Side) -> None:
    with rig.block(1, (side,), duet=False, on_incident=pytest.fail):
        pytest.fail("it answers")


def test_a_base_that_lacks_a_file_of_an_earlier_step_is_told_so(
    rig: Callable[[str, Path], LiveRig], ports: Ports, project: Path
) -> None:
    """The file is named, and the key that gives it to the base; a candidate that does not start has no such hint."""
    git = Git(root=project, environ=ports.environ)
    with work_tree(git, git.head(), state=ports.state) as tree:
        here = rig(READS_SETTINGS, tree)
        with pytest.raises(BaseTargetError, match=r"the base does not start: (.*\n)*.*settings") as caught:
            _start(here, Side.BASE)
        assert caught.value.hint.startswith("the working tree has settings, but git and the base do not")
        assert 'prepare = { copy = ["settings"] }' in caught.value.hint
        with pytest.raises(TargetError) as candidate:
            _start(here, Side.CANDIDATE)
        assert "prepare" not in candidate.value.hint


def test_prepare_gives_the_base_what_the_working_tree_has(
    rig: Callable[[str, Path], LiveRig], ports: Ports, project: Path
) -> None:
    """Before anything is built; a file of the base's commit that is replaced is an incident of the run."""
    git = Git(root=project, environ=ports.environ)
    (project / "tracked").write_text("of the commit")
    run_git(project, "add", "tracked")
    run_git(project, "commit", "-q", "-m", "tracked")
    (project / "tracked").write_text("of the job")
    incidents: list[str] = []
    with work_tree(git, git.head(), state=ports.state) as tree:
        here = rig(PREPARED, tree)
        for side in (Side.BASE, Side.CANDIDATE):
            here.prepare(side, on_incident=incidents.append)
        assert (tree / "settings").read_text() == "rows = 40"
        assert (tree / "tracked").read_text() == "of the job"
    assert incidents == ["prepare.copy replaced files that the commit of the base has: tracked"]


def test_a_preparation_of_the_base_that_fails_is_no_fault_of_the_change(
    rig: Callable[[str, Path], LiveRig], ports: Ports, project: Path
) -> None:
    """The file that nobody made is named."""
    git = Git(root=project, environ=ports.environ)
    with work_tree(git, git.head(), state=ports.state) as tree:
        here = rig(PREPARED, tree)
        (project / "settings").unlink()
        with pytest.raises(BaseTargetError, match=r"prepare\.copy: there is no 'settings' in the working tree"):
            here.prepare(Side.BASE, on_incident=pytest.fail)


def test_a_folder_of_the_user_stays_as_it_is(rig: Callable[[str, Path], LiveRig], tmp_path: Path) -> None:
    """As a side it is prepared by whoever made it: nothing is copied into it."""
    (tmp_path / "base").mkdir()
    rig(PREPARED, tmp_path / "base").prepare(Side.BASE, on_incident=pytest.fail)
    assert list((tmp_path / "base").iterdir()) == []


def test_a_seed_that_fails_is_told_with_what_keeps_data(
    rig: Callable[[str, Path], LiveRig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An external volume still holds what the block before has written, and the target refuses."""

    def fails() -> Seeded:
        raise SeedError("the target holds test data already", hint="clear it")

    running = RunningTarget(
        kind="compose",
        base_url="http://127.0.0.1:9",
        description="",
        log_path=None,
        health=lambda: TargetHealth(alive=True, restarts=0),
        logs_tail=str,
        outliving=("the external volume 'x'",),
    )
    monkeypatch.setattr(target, "starting", lambda *_, **__: contextlib.nullcontext(lambda: running))
    monkeypatch.setattr(seed, "seeding", lambda *_, **__: contextlib.nullcontext(fails))
    with pytest.raises(SeedError, match="already; data outlives a block in the external volume 'x'") as caught:
        _start(rig(CONFIG, tmp_path), Side.CANDIDATE)
    assert caught.value.hint == "clear it"


def test_a_running_service_that_holds_data_is_left_alone(
    rig: Callable[[str, Path], LiveRig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hint has both ways on: the command that removes the data, and the setting that keeps it."""

    def fails() -> Seeded:
        raise DataThereError("the target holds test data already", hint="seed with --clear-first")

    running = RunningTarget(
        kind="external",
        base_url="http://127.0.0.1:9",
        description="",
        log_path=None,
        health=lambda: TargetHealth(alive=True, restarts=0),
        logs_tail=str,
    )
    monkeypatch.setattr(target, "starting", lambda *_, **__: contextlib.nullcontext(lambda: running))
    monkeypatch.setattr(seed, "seeding", lambda *_, **__: contextlib.nullcontext(fails))
    with pytest.raises(SeedError, match="holds test data already") as caught:
        _start(rig(CONFIG, tmp_path), Side.CANDIDATE)
    assert "`perfci seed http://127.0.0.1:9 --clean` removes it" in caught.value.hint
    assert 'kind = "none" in [environments.NAME.seed]' in caught.value.hint
