"""
What MkDocs asks while it builds the site: links out of `docs/` lead to the repository.

On GitHub these pages link to files beside their folder, such as `../bench/README.md`. The site has no such pages.
"""

import re
from pathlib import Path, PurePosixPath
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SITE = "https://github.com/perfci/perfci/blob/main"

_LINK = re.compile(r"\]\(((?:\.\./)+)([^)#\s]+)(#[^)\s]+)?\)")


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """The page with its links out of the folder made absolute; a file that is not there is an error of the build."""
    folder = PurePosixPath("docs", page.file.src_uri).parent

    def leading_out(found: re.Match[str]) -> str:
        depth = found[1].count("../")
        parts = folder.parts[: len(folder.parts) - depth]
        target = PurePosixPath(*parts, found[2])
        if target.parts[0] == "docs":
            return found[0]
        if not (ROOT / target).exists():
            raise FileNotFoundError(f"{page.file.src_uri} links to {found[2]}, which is not in the repository")
        return f"]({SITE}/{target}{found[3] or ''})"

    return _LINK.sub(leading_out, markdown)
