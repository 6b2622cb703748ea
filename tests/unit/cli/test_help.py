"""The help: at once, and the same in both places."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from perfci.cli import COMMANDS, cli

HEAVY = ("pandas", "numpy", "scipy", "pydantic", "rich", "requests", "locust", "gevent", "jinja2", "github", "psutil")
SCRIPT = """
import json, sys
from perfci.cli import main
sys.argv = ["perfci", *sys.argv[1:]]
try:
    main()
except SystemExit as ended:
    print(json.dumps([ended.code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["run", "--help"], ["publish", "--help"]])
def test_help_loads_no_library(arguments: list[str]) -> None:
    """Who asks for help does not wait for pandas."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, timeout=30, check=True
    )
    code, loaded = json.loads(done.stderr)
    assert code == 0
    assert "perfci" in done.stdout
    assert "click" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_a_mistake_whose_exit_code_is_deferred_loads_no_rig(tmp_path: Path) -> None:
    """Its documents are written without what starts targets, drives load, or judges what was measured."""
    arguments = ["run", "shop", "--users", "many", "--defer-exit", "--output", str(tmp_path / "out")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path
    )
    message, modules = done.stderr.splitlines()
    code, loaded = json.loads(modules)
    assert (code, message) == (2, "perfci: Invalid value for '--users': 'many' is not a valid integer range.")
    assert (tmp_path / "out" / "result.json").exists()
    unneeded = ("numpy", "pandas", "requests", "scipy", "perfci.judge", "perfci.pipeline.live_rig", "perfci.rig.load")
    assert [name for name in unneeded if name in loaded] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_repeats_their_help(name: str) -> None:
    """The one line in the list is the first of the command's own help."""
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert command.name == name
    assert command.help is not None
    assert COMMANDS[name] == command.help.strip().splitlines()[0]


def test_every_command_is_listed() -> None:
    """Each module with a command stands in the list."""
    from importlib.resources import files

    modules = {
        path.name.removesuffix(".py").removesuffix("_")
        for path in files("perfci.cli").iterdir()
        if path.name.endswith(".py")
    }
    assert modules - {"__init_", "inputs", "options", "output", "ports", "progress"} == set(COMMANDS)
    assert cli.get_command(click.Context(cli), "output") is None
