"""The files that `perfci init` writes."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from perfci import config
from perfci.starter import texts
from perfci.starter.guesses import Get, LeftOut

BIN = Path(sys.executable).parent
VALUES = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.from_regex(r"[a-z_]+", fullmatch=True), inner),
    max_leaves=8,
)
TARGET = {"kind": "command", "command": ["serve", "{port}"], "ready": {"path": "/"}}


@given(VALUES)
def test_values_are_read_back(value: object) -> None:
    """Whatever a repository calls its files and commands."""
    assert tomllib.loads(f"value = {texts.toml(value)}") == {"value": value}


@pytest.mark.parametrize("minimal", [True, False])
def test_the_configuration_can_be_used(*, minimal: bool) -> None:
    """As it stands; the ten lines have no comment."""
    text = texts.configuration(TARGET, profile="web", locustfile="load_tests/web.py", minimal=minimal)
    read = config.from_bytes(text.encode(), where="perfci.toml")
    assert read.find("web:smoke")[3].users == 10
    assert ("#" in text) is not minimal
    assert len(text.splitlines()) == 10 or not minimal


@given(st.lists(st.text(min_size=1, max_size=30).map("/{}".format), min_size=1, max_size=6), st.text(max_size=30))
def test_the_locust_file_is_python(paths: list[str], reason: str) -> None:
    """Whatever paths are called: each is a task of its own, and no path or reason becomes code."""
    gets = [Get(path=path, name=f"{path}x", why="") for path in paths]
    tree = ast.parse(texts.locustfile(gets, [LeftOut(name=path, why=reason) for path in paths]))
    (visitor,) = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    tasks = [node for node in visitor.body if isinstance(node, ast.FunctionDef)]
    assert len({task.name for task in tasks}) == len(paths)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    assert [ast.literal_eval(call.args[0]) for call in calls if len(call.keywords) == 1] == paths
    assert len(tree.body) == 3


def _zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "zizmor"), "--offline", "--quiet", "--persona=pedantic", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("commit", ["", "0123456789abcdef0123456789abcdef01234567"])
def test_the_workflows_are_valid_and_safe(commit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By GitHub's schema and zizmor; they call perfci by its commit where that is known."""
    monkeypatch.setattr(texts, "built_from", lambda: commit)
    written = texts.workflows("web:smoke", "service/perfci.toml")
    for name, text in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (job,) = yaml.safe_load(text)["jobs"].values()
        assert job["uses"].endswith(f"@{commit or 'v1'}")
        assert job["with"] == {"profile": "web:smoke", "config": "service/perfci.toml"}
    schema = [str(BIN / "check-jsonschema"), "--quiet", "--builtin-schema", "vendor.github-workflows"]
    subprocess.run([*schema, *(str(tmp_path / name) for name in written)], check=True, timeout=60)
    done = _zizmor(tmp_path)
    assert done.returncode == 0, done.stdout


def test_nothing_of_a_path_ends_its_comment() -> None:
    """A line break in a document would begin a line of code."""
    written = texts.locustfile([Get(path="/", name="/", why="")], [LeftOut(name="GET /a\nimport os", why="b\u2028c\0")])
    assert "# GET /a import os: b c \n" in written
