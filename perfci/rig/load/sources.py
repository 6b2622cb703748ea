"""Finds the modules of the project that a Locust file imports, and digests them."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path


def digest(locustfile: Path, *, root: Path) -> str:
    """
    A digest of the file and of every module below *root* that it imports, directly or by another one.

    OSError where the file cannot be read. What is imported by a computed name, and what is read as data, is not seen.
    """
    whole = hashlib.sha256(locustfile.read_bytes())
    for module in sorted(modules(locustfile, root=root) - {locustfile}):
        whole.update(module.relative_to(root).as_posix().encode() if module.is_relative_to(root) else b"")
        whole.update(module.read_bytes())
    return whole.hexdigest()[:16]


def modules(locustfile: Path, *, root: Path) -> set[Path]:
    """The file, and every module below *root* that it imports, directly or by another one."""
    folders = [locustfile.parent, root]
    found: set[Path] = set()
    waiting = [locustfile]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += [module for name, base in _names(file) for module in _files(name, [base] if base else folders)]
    return found


def _names(file: Path) -> Iterator[tuple[str, Path | None]]:
    """The dotted names that the file imports, each with the folder that a relative one starts from."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # Locust will say so
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[node.level - 1] if node.level else None
            start = node.module or ""
            yield from ((f"{start}.{alias.name}".strip("."), base) for alias in node.names)


def _files(name: str, folders: Sequence[Path]) -> Iterator[Path]:
    """The files of a dotted name, from its package down; its last part may be a name within a module."""
    for folder in folders:
        path = folder
        for part in name.split("."):
            path /= part
            for file in (path.with_suffix(".py"), path / "__init__.py"):
                if file.is_file():
                    yield file
