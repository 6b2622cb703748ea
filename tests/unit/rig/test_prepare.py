"""Files of earlier steps, and a command, before a side is built."""

import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import ConfigError, TargetError
from perfci.rig.target.prepare import Place, Preparation, missing, prepare
from perfci.schema import parse

pytestmark = pytest.mark.kind("J")


def options(**table: Any) -> Preparation:
    """The table as the configuration has it."""
    return parse(Preparation, table, where="prepare")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """The tree of a base beside the working tree."""
    for name in ("tree", "work"):
        (tmp_path / name).mkdir()
    return Place(
        tree=tmp_path / "tree",
        working_tree=tmp_path / "work",
        side="base",
        log=tmp_path / "logs" / "base" / "prepare.log",
        state=tmp_path / "state",
        environ={"PATH": os.environ["PATH"], "DB_PASSWORD": "s3cret"},
    )


def test_files_and_folders_are_copied(place: Place) -> None:
    """With their modes and times; neither side sees what the other does to them later."""
    work, tree = place.working_tree, place.tree
    (work / "settings").write_text("rows = 40")
    (work / "bin").mkdir()
    (work / "bin" / "serve").write_text("#!/bin/sh\n")
    (work / "bin" / "serve").chmod(0o755)
    (work / "bin" / "empty").mkdir()
    assert prepare(options(copy=["settings", "bin"]), place) == ()
    assert (tree / "settings").read_text() == "rows = 40"
    assert stat.S_IMODE((tree / "bin" / "serve").stat().st_mode) == 0o755
    assert (tree / "bin" / "empty").is_dir()
    (tree / "settings").write_text("rows = 1")
    assert (work / "settings").read_text() == "rows = 40"
    assert "copied settings" in place.log.read_text()


def test_the_working_tree_is_not_copied_into_itself(place: Place) -> None:
    """The change has its files already, whether or not they are all there."""
    here = Place(**{name: getattr(place, name) for name in Place.__slots__} | {"tree": place.working_tree})
    assert prepare(options(copy=["none"]), here) == ()


def test_links_stay_links_and_none_shares_files_of_the_working_tree(place: Place) -> None:
    """A link to a file of the working tree leads to the side's own; one in a folder is never followed out of it."""
    work, tree = place.working_tree, place.tree
    (work / "modules" / "b").mkdir(parents=True)
    (work / "modules" / "a").symlink_to("b")
    (work / "modules" / "c").symlink_to(work / "modules" / "b")
    (work / "modules" / "python").symlink_to("/usr/bin/env")
    (work / "current").symlink_to("modules/b")
    (work / "modules" / "b" / "x").write_text("x")
    prepare(options(copy=["modules", "current"]), place)
    assert (tree / "modules" / "a").readlink() == Path("b")
    assert (tree / "modules" / "c").readlink() == tree / "modules" / "b"
    assert (tree / "modules" / "python").readlink() == Path("/usr/bin/env")
    assert (tree / "current" / "x").read_text() == "x"


def test_a_replaced_file_of_the_commit_is_told(place: Place, tmp_path: Path) -> None:
    """Also one that is a link: what it leads to stays as it is."""
    (tmp_path / "elsewhere").write_text("precious")
    (place.tree / "linked").symlink_to(tmp_path / "elsewhere")
    for name in ("tracked", "linked", "new"):
        (place.working_tree / name).write_text("of the job")
    (place.tree / "tracked").write_text("of the commit")
    incidents = prepare(options(copy=["tracked", "linked", "new"]), place)
    assert incidents == ("prepare.copy replaced files that the commit of the base has: tracked, linked",)
    assert (place.tree / "tracked").read_text() == "of the job"
    assert (tmp_path / "elsewhere").read_text() == "precious"


def _nothing(place: Place) -> None:
    """The file is not there."""


def _link_out(place: Place) -> None:
    (place.working_tree / "file").symlink_to("/etc/hostname")


def _below_a_link(place: Place) -> None:
    (place.tree / "folder").symlink_to(place.tree.parent)
    (place.working_tree / "folder").mkdir()
    (place.working_tree / "folder" / "file").write_text("")


def _folder_in_the_way(place: Place) -> None:
    (place.tree / "file").mkdir()
    (place.working_tree / "file").write_text("")


@pytest.mark.parametrize(
    ("arrange", "path", "message"),
    [
        (_nothing, "file", "there is no 'file' in the working tree"),
        (_link_out, "file", "'file' leads out of the project, to /etc/hostname"),
        (_below_a_link, "folder/file", "would leave the tree of the base"),
        (_below_a_link, "folder", "would leave the tree of the base"),
        (_folder_in_the_way, "file", "'file' cannot be copied to the base: Is a directory"),
    ],
)
def test_what_cannot_be_copied_is_named(
    place: Place, arrange: Callable[[Place], None], path: str, message: str
) -> None:
    """With the step that helps; nothing outside of the tree is touched."""
    arrange(place)
    with pytest.raises(TargetError, match=f"prepare.copy: .*{message}") as caught:
        prepare(options(copy=[path]), place)
    assert caught.value.hint
    assert not (place.tree.parent / "file").exists()


@pytest.mark.parametrize("path", ["/etc/passwd", "../other", "a/../../b", "", ".", ".git/config", "a/.git", "a\0b"])
def test_a_path_outside_of_the_project_is_a_configuration_error(path: str) -> None:
    """Found before anything starts."""
    with pytest.raises(ConfigError, match="is no file or folder inside the project"):
        options(copy=[path])


def test_the_command_runs_in_the_tree_without_secrets_and_without_a_shell(place: Place) -> None:
    """What it says is in the log of its side."""
    script = "import os, sys; print(os.getcwd(), os.environ.get('DB_PASSWORD'), sys.argv[1])"
    prepare(options(command=["{python}", "-c", script, "$HOME; a"]), place)
    assert place.log.read_text() == f"{place.tree} None $HOME; a\n"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"command": ["{python}", "-c", "print('no network'); exit(3)"]}, "ended with 3: .*\n.*\nno network"),
        ({"command": ["sleep", "9"], "timeout_s": 0.2}, "did not end within 0.2 s: sleep 9"),
        ({"command": ["no-such-program"]}, "'no-such-program' cannot be run in .*: No such file"),
    ],
)
def test_a_command_that_fails_is_named_with_the_end_of_its_output(
    place: Place, table: dict[str, Any], message: str
) -> None:
    """In bounded time."""
    with pytest.raises(TargetError, match=f"prepare.command.*{message}") as caught:
        prepare(options(**table), place)
    assert caught.value.hint


def test_copying_is_bounded_in_time(place: Place) -> None:
    """The message names what was being copied."""
    (place.working_tree / "big").mkdir()
    for number in range(200):
        (place.working_tree / "big" / str(number)).write_text("")
    with pytest.raises(TargetError, match="'big' was not copied to the base within 1e-09 s"):
        prepare(options(copy=["big"], timeout_s=1e-9), place)


@pytest.mark.parametrize(
    ("failure", "words", "found"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: 'settings'", "serve.py", ["settings"]),
        ("env file /tmp/x/tree/.env not found", "", [".env"]),
        ("it was not ready within 30 s", "dist/serve --port 1", ["dist"]),
        ("Error: Cannot find module 'express'", "node server.js", ["node_modules"]),
        ("No such file or directory: 'settings.py'", "serve.py", []),
        ("the settings are wrong", "serve.py", []),
        ("No such file or directory: 'README'", "serve.py", []),
    ],
)
def test_the_usual_cause_of_a_base_that_does_not_start_is_recognised(
    place: Place, failure: str, words: str, found: list[str]
) -> None:
    """A file that an earlier step made in the working tree, that git does not have, and that the failure is about."""
    work = place.working_tree
    subprocess.run(["git", "init", "-q"], cwd=work, check=True)
    (work / ".gitignore").write_text("settings\nnode_modules\n")
    (place.tree / "README").write_text("")
    for name in ("settings", ".env", "dist/serve", "node_modules/express/index.js", "README"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text("")
    assert missing(failure, words, tree=place.tree, working_tree=work, environ=os.environ) == found
