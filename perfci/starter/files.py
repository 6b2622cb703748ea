"""Lists a repository's files and reads the small ones."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

MOST_FILES = 20_000
MOST_BYTES = 512 * 1024

LEFT_OUT = frozenset(
    {"node_modules", "vendor", "venv", "env", "dist", "build", "target", "site-packages", "__pycache__"}
)
"""Folders of third-party code and of build output."""

TESTS = re.compile(
    r"(^|/)(tests?|spec|e2e|__tests__|examples?|docs?|fixtures)(/|$)|(^|/)(test_|conftest)|[._]test\.|_spec\."
)
"""Paths of code that does not serve requests."""


@dataclass(frozen=True)
class Files:
    """The files of the repository at *root*, ordered by depth, then name."""

    root: Path
    _texts: dict[str, str] = field(default_factory=dict, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Relative paths with slashes, without hidden folders and third-party code."""
        found: list[str] = []
        for folder, folders, files in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in LEFT_OUT)
            found += [(Path(folder) / name).relative_to(self.root).as_posix() for name in files]
            if len(found) > MOST_FILES:
                break
        return tuple(sorted(found, key=lambda name: (name.count("/"), name)))

    def matching(self, pattern: str, *, tests: bool = False) -> Iterator[str]:
        """Names whose last part matches *pattern* completely; test files only on request."""
        wanted = re.compile(pattern)
        for name in self.names:
            if wanted.fullmatch(PurePosixPath(name).name) and (tests or not TESTS.search(name)):
                yield name

    def first(self, *names: str) -> str:
        """The first of *names* that exists, or an empty string."""
        return next((name for name in names if (self.root / name).is_file()), "")

    def text(self, name: str) -> str:
        """The content of a file; empty where it is absent, binary, large, or outside of the root."""
        if name not in self._texts:
            self._texts[name] = self._read(self.root / name)
        return self._texts[name]

    def _read(self, path: Path) -> str:
        try:
            if not path.resolve().is_relative_to(self.root.resolve()) or path.stat().st_size > MOST_BYTES:
                return ""
            return path.read_text(encoding="utf-8-sig")
        except (OSError, ValueError):
            return ""

    def containing(self, pattern: str, *names: str) -> Iterator[tuple[str, re.Match[str]]]:
        """The first match of *pattern* in each file whose name matches one of the patterns *names*."""
        wanted = re.compile(pattern, re.MULTILINE)
        for each in names:
            for name in self.matching(each):
                if found := wanted.search(self.text(name)):
                    yield name, found


def folder_of(name: str) -> str:
    """The folder of a path; empty for the root."""
    parent = PurePosixPath(name).parent.as_posix()
    return "" if parent == "." else parent


def joined(folder: str, name: str) -> str:
    """*name* below *folder*, which may be empty."""
    return f"{folder}/{name}" if folder else name
