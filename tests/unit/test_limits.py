"""Files and functions stay small enough to be read in one go, and variables say what they hold."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 50
VAGUE = frozenset({"one", "told"})
"""Names of variables that would fit any value."""
PACKAGES = [name for name in ("perfci", "demo", "load_tests", "bench") if (ROOT / name).is_dir()]


def oversized(folder: Path) -> Iterator[str]:
    """Files and functions below *folder* that have reached their limit."""
    for path in sorted(folder.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(folder.parent)
        if (lines := len(text.splitlines())) >= LINES_OF_A_FILE:
            yield f"{name}: {lines} lines"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length >= LINES_OF_A_FUNCTION:
                    yield f"{name}:{node.lineno}: {node.name} has {length} lines"


def vague(folder: Path) -> Iterator[str]:
    """Variables, parameters and functions below *folder* with a name out of `VAGUE`."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Name | ast.arg | ast.FunctionDef):
                name = node.id if isinstance(node, ast.Name) else node.arg if isinstance(node, ast.arg) else node.name
                if name in VAGUE:
                    yield f"{path.relative_to(folder.parent)}:{node.lineno}: {name}"


@pytest.mark.parametrize("package", [*PACKAGES, "tests"])
def test_variables_say_what_they_hold(package: str) -> None:
    """A reader need not look up what the loop goes over."""
    assert list(vague(ROOT / package)) == []


def test_a_vague_name_is_found(tmp_path: Path) -> None:
    """As a variable of a comprehension, as a parameter, and as a function."""
    (tmp_path / "names.py").write_text("x = [one for one in ()]\ndef f(told): pass\ndef one(): pass\n")
    assert sorted(found.split(":", 1)[1] for found in vague(tmp_path)) == ["1: one", "1: one", "2: told", "3: one"]


@pytest.mark.parametrize("package", PACKAGES)
def test_files_and_functions_are_short(package: str) -> None:
    """Under 400 lines a file, under 50 a function."""
    assert list(oversized(ROOT / package)) == []


def test_the_limits_bite(tmp_path: Path) -> None:
    """One line more than allowed is found, in a file and in a method; the largest that is allowed is not."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "fits.py").write_text("def f():\n" + "    pass\n" * 48 + "pass\n" * 350)
    assert list(oversized(package)) == []
    (package / "fits.py").write_text("class C:\n    async def f(self):\n" + "        pass\n" * 49)
    (package / "long.py").write_text("pass\n" * 400)
    assert list(oversized(package)) == ["package/fits.py:2: f has 50 lines", "package/long.py: 400 lines"]
