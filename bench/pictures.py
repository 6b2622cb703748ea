"""
Draws the README's pictures from a run: the comment, the terminal and the HTML report.

    python -m bench.pictures RUN [--into docs/pictures]

Needs Chromium, and a font with emoji (Debian: fonts-noto-color-emoji).
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO, StringIO
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt
from PIL import Image
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from perfci.pipeline.report import view_of
from perfci.report import FORMATS, terminal
from perfci.report.view import View

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COLUMNS = 100
WIDTH, HEIGHT, SCALE = 1080, 680, 1.5
"""Size of a picture in pixels of the page, and the factor of the file for sharp screens."""

COLOURS = 128
"""Number of colours of a file, which makes it a quarter as large."""

STYLE = """
body { margin: 0; padding: 24px; background: #fff; color: #1f2328; font: 15px/1.5 system-ui, sans-serif; }
h2 { margin: 0 0 12px; font-size: 21px; } p { margin: 0 0 12px; } code { font: 13px ui-monospace, monospace; }
p > code, td code, li code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; }
table { border-collapse: collapse; margin: 0 0 12px; }
th, td { white-space: nowrap; border: 1px solid #d1d9e0; padding: 5px 12px; }
tr:nth-child(2n) { background: #f6f8fa; } summary { cursor: pointer; } a { color: #0969da; }
.comment { border: 1px solid #d1d9e0; border-radius: 8px; overflow: hidden; }
.comment > header { background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 9px 16px; font-size: 14px; }
.comment > div { padding: 16px; }
body.terminal { padding: 24px; background: #0c0f13; color: #d9dde2; }
pre { margin: 0; font: 14px/1.45 "DejaVu Sans Mono", ui-monospace, monospace; white-space: pre; }
"""


def comment(view: View) -> str:
    """The page with the pull request comment."""
    # What it shows is our own comment of our own run; only <details> in it is HTML.
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(FORMATS["markdown"].render(view))
    who = "<header><strong>github-actions</strong> commented</header>"
    return _page(f'<div class="comment">{who}<div>{body}</div></div>')


def screen(view: View) -> str:
    """The page with the terminal's output."""
    console = Console(record=True, width=COLUMNS, file=StringIO(), force_terminal=True)
    console.print(Text.from_ansi(terminal.render(view.outcome, width=COLUMNS, colour=True)))
    code = console.export_html(inline_styles=True, theme=MONOKAI, code_format="<pre>{code}</pre>")
    return _page(code, kind="terminal")


def _page(body: str, kind: str = "") -> str:
    return f'<!doctype html><meta charset="utf-8"><style>{STYLE}</style><body class="{kind}">{body}'


@contextmanager
def _chromium() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def draw(view: View, into: Path) -> list[Path]:
    """Write the pictures, and return their files."""
    pages = {"comment": comment(view), "terminal": screen(view), "report": FORMATS["html"].render(view)}
    into.mkdir(parents=True, exist_ok=True)
    files = []
    with _chromium() as browser:
        for name, text in pages.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE)
            page.set_content(text)
            files.append(into / f"{name}.png")
            Image.open(BytesIO(page.screenshot())).quantize(COLOURS).save(files[-1], optimize=True)
            page.close()
    return files


def main() -> None:
    """Draw the pictures of one run."""
    parser = ArgumentParser(prog="python -m bench.pictures", description=__doc__)
    parser.add_argument("run", type=Path, help="the folder of a run")
    parser.add_argument("--into", type=Path, default=Path("docs/pictures"))
    given = parser.parse_args()
    for file in draw(view_of(given.run.resolve(), config_file=Path("perfci.toml")), given.into):
        print(file)


if __name__ == "__main__":
    main()
