"""Variables of a file: what is set already is stronger, and a line that is none is told."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from perfci.cli.options import env_file_option


@click.command()
@env_file_option
@click.option("--users", envvar="PERFCI_USERS")
def command(users: str) -> None:
    """Show what an option finds."""
    click.echo(f"users {users} host {os.environ.get('SHOP_HOST')}")


def run(path: Path, content: str, *arguments: str) -> tuple[int, str]:
    path.write_text(content)
    result = CliRunner().invoke(command, ["--env-file", str(path), *arguments])
    return result.exit_code, result.output


@pytest.fixture(autouse=True)
def variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test begins without the variables, and leaves none behind."""
    for name in ("PERFCI_USERS", "SHOP_HOST"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_file_gives_options_and_variables(tmp_path: Path) -> None:
    """With comments, quotes and `export`."""
    content = "# load\nexport PERFCI_USERS=7\n\nSHOP_HOST='http://a # b' \n"
    assert run(tmp_path / ".env", content) == (0, "users 7 host http://a # b\n")


def test_flags_and_the_environment_are_stronger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As everywhere: the file is the weakest."""
    monkeypatch.setenv("SHOP_HOST", "mine")
    content = "PERFCI_USERS=7 # seven\nSHOP_HOST=theirs"
    assert run(tmp_path / ".env", content, "--users", "9") == (0, "users 9 host mine\n")


def test_what_is_no_variable_is_told_with_its_line(tmp_path: Path) -> None:
    """Nothing is passed over in silence."""
    code, output = run(tmp_path / ".env", "A=1\njust words\n")
    assert code == 2
    assert "line 2 of" in output
