"""Whatever a pull request calls its endpoints, a Markdown parser sees text and nothing else."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from perfci.report.sanitise import NAME_LIMIT, ZERO_WIDTH_SPACE, code, plain, prose, web_address

NASTY = [
    "@org/team",
    "#1",
    "GH-1",
    "octo/shop#1",
    "a|b",
    "a\\|b",
    "a\\\\|b",
    "`x`",
    "``",
    "`",
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "https://evil.example",
    "www.evil.example",
    "mallory@evil.example",
    "a\u202eb",
    "a\u2066b",
    "a\nb",
    "a\r\n| b |",
    "<!-- x",
    "--> x",
    "</details>",
    "- x",
    "1. x",
    "---",
    "===",
    "| --- |",
    "    code",
    "&commat;org",
    "\\",
    "x\\",
    "$x$",
    ":tada:",
    "*b* _i_ ~~s~~",
    "deadbeef1",
    "\ud800",
    "\x1b[31mred",
    "😀" * 100,
]
hostile = st.one_of(
    st.text(),
    st.text(alphabet="`|\\@#<>[]()!*_~&:/.- \n\r\thwtpsa1f\u202e\u200b$"),
    st.lists(st.sampled_from(NASTY)).map("".join),
)
parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

_LINKED = re.compile(r"@\w|(?<!\w)#\d|GH-\d|https?://\w|www\.\w|(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE)


def inlines(markdown: str) -> list[Token]:
    """The pieces of text of *markdown*."""
    return [child for token in parser.parse(markdown) for child in token.children or []]


@given(hostile)
@example("a\\|b")
@example("x\\")
def test_must_14_code_is_one_cell(text: str) -> None:
    """A name is exactly one code span in exactly one cell."""
    tokens = parser.parse(f"| A | B |\n| :--- | ---: |\n| {code(text)} | 1 |\n")
    assert sum(token.type == "td_open" for token in tokens) == 2
    body = [token for token in tokens if token.type == "inline"][2:]
    assert [[child.type for child in token.children or []] for token in body] == [["code_inline"], ["text"]]
    assert not re.search("@(?!\u200b)", body[0].content)


@given(hostile)
def test_code_holds_for_a_stricter_splitter(text: str) -> None:
    """Also a parser that reads two backslashes before a bar as one, and the bar as a border, sees one cell."""
    cells = re.split(r"(?:\\.|[^\\|])*", code(text), flags=re.DOTALL)
    assert "|" not in "".join(cells)


@given(hostile)
def test_must_14_prose_is_text(text: str) -> None:
    """A sentence is one paragraph without link, tag, image, emphasis or code, but for commits as code."""
    tokens = parser.parse(prose(text, 300))
    assert [token.type for token in tokens if token.type != "inline"] in ([], ["paragraph_open", "paragraph_close"])
    pieces = [child for token in tokens for child in token.children or []]
    assert {piece.type for piece in pieces} <= {"text", "text_special", "code_inline"}
    spans = [piece.content for piece in pieces if piece.type == "code_inline"]
    assert all(re.fullmatch("[0-9a-f]{7,}", span, re.IGNORECASE) for span in spans)
    assert not _LINKED.search("".join("." if piece.type == "code_inline" else piece.content for piece in pieces))


@given(hostile)
def test_prose_is_one_cell(text: str) -> None:
    """A sentence does not leave its table cell."""
    tokens = parser.parse(f"| A | B |\n| :--- | ---: |\n| x{prose(text, 300)} | 1 |\n")
    assert sum(token.type == "td_open" for token in tokens) == 2
    assert sum(token.type == "tr_open" for token in tokens) == 2


@given(hostile)
def test_plain_is_one_visible_line(text: str) -> None:
    """A line for the log has no control character and no workflow command."""
    shown = plain(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    assert "##[" not in shown
    assert "::" not in shown
    assert len(shown) <= NAME_LIMIT


@given(hostile)
def test_bounded(text: str) -> None:
    """A name takes a bounded number of UTF-16 units, so that a table of names does."""
    assert len(code(text).encode("utf-16-le")) // 2 <= 4 * NAME_LIMIT
    assert len(prose(text, 100).encode("utf-16-le")) // 2 <= 300


def test_names_stay_readable() -> None:
    """An ordinary name is shown as it is, a long one with a mark where it was cut."""
    assert code("GET /tickets/[id]") == "`GET /tickets/[id]`"
    assert plain("GET /tickets/[id]") == "GET /tickets/[id]"
    assert code("x" * 81) == f"`{'x' * 79}…`"
    assert code("\u200b") == "`(no name)`"


def test_a_commit_can_be_copied_whole() -> None:
    """It stands in a code span, which no site links, and nothing invisible is in it."""
    assert prose("compared with 1a2b3c4 (main)", 80) == r"compared with `1a2b3c4` \(main\)"
    assert prose("defaced", 80) == "`defaced`"
    assert prose("1a2b3c", 80) == "1a2b3c"


def test_must_14_mentions() -> None:
    """A mention is broken by an invisible space, which a code span alone does not do in mail."""
    assert code("@org/team") == f"`@{ZERO_WIDTH_SPACE}org/team`"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://git.example.org/octo/shop/actions/runs/42?pr=7#x", True),
        ("http://127.0.0.1:8099/x", True),
        ("javascript:alert(1)", False),
        ("https://x.example/) [x](y", False),
        ("https://x.example/ y", False),
        ("https://x.example/\ny", False),
        ("", False),
    ],
)
def test_must_14_addresses(url: str, kept: bool) -> None:
    """Only an http(s) address that cannot leave its link is one."""
    assert web_address(url) == (url if kept else "")
