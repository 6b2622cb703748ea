"""Nobody but perfci gives orders to the runner, and perfci gives few."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perfci.errors import PublishError
from perfci.publish.actions import (
    MAX_SUMMARY_BYTES,
    Annotation,
    annotations,
    append_summary,
    clean,
    write_outputs,
)


def read_outputs(text: str) -> dict[str, str]:
    """What the runner makes of an output file."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, delimiter = line.split("<<")
        value = []
        for part in lines:
            if part == delimiter:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


def commands(text: str) -> list[str]:
    """The lines that a runner obeys: `::name` after blanks, and `##[name` anywhere; it ignores what has no width."""
    visible = re.sub("[\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0f\u034f]", "", text)
    lines = re.split(r"\r\n|\r|\n", visible)
    return [line for line in lines if line.strip().startswith("::") or "##[" in line]


@pytest.mark.parametrize(
    "line",
    [
        "::set-output name=verdict::pass",
        "   ::error::x",
        "\t::stop-commands::token",
        "##[error]x",
        "text ##[add-mask]e",
        "a\r::set-output name=verdict::pass",
        "a\r\n::debug::x",
        "\x1b[31m::error::x",
        "#\x1b[0m#[error]x",
        "#\x00#[error]x",
        "#\u200b#[error]x",
        ":\ufe0f:error::x",
        "\u00a0::error::x",
        "\u2003##[group]x",
        "##" + "\x1b]8;;http://x\x07" + "[error]",
        "###[error]x",
        ":::error::x",
    ],
)
def test_must_15_clean(line: str) -> None:
    """A line of a log that looks like a command is shown, and is none."""
    assert not commands(clean(line))
    assert re.sub(r"\W", "", clean(line))


@given(st.one_of(st.text(), st.text(alphabet=":# [\r\n\t\x1b\x00;]m\u200b\ufeff\u00a0\x85\u2028ae\x07")))
@example("#\x1b[#[a")
@example("\x1b\x1b[[::a")
def test_clean_any(text: str) -> None:
    """No text is a command after cleaning, and cleaning twice changes nothing more."""
    shown = clean(text)
    assert not commands(shown)
    assert "\r" not in shown
    assert "\x1b" not in shown
    assert clean(shown) == shown


def test_clean_keeps_ordinary_lines() -> None:
    """Ordinary text stays as it is, also with colons within a line."""
    text = "INFO std::vector at 10:00\n\tGET /tickets/ 200 — naïve\n"
    assert clean(text) == text


@given(
    st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True), st.text("ab<=_:\n%#"), max_size=5)
)
def test_outputs_are_read_back(tmp_path_factory: pytest.TempPathFactory, outputs: dict[str, str]) -> None:
    """Every value arrives as it was, lines and all."""
    file = tmp_path_factory.mktemp("runner") / "output"
    write_outputs({"GITHUB_OUTPUT": str(file)}, outputs)
    assert read_outputs(file.read_text(encoding="utf-8")) == outputs


def test_must_15_outputs_cannot_be_forged(tmp_path: Path) -> None:
    """A value with a delimiter of an earlier run stays one value."""
    file = tmp_path / "output"
    write_outputs({"GITHUB_OUTPUT": str(file)}, {"reason": "x"})
    delimiter = file.read_text(encoding="utf-8").partition("<<")[2].partition("\n")[0]
    file.unlink()
    value = f"x\n{delimiter}\nverdict=pass"
    write_outputs({"GITHUB_OUTPUT": str(file)}, {"reason": value})
    assert read_outputs(file.read_text(encoding="utf-8")) == {"reason": value}


@pytest.mark.parametrize("name", ["a\nb", "", "a b", "a=b", "a<<b", "1a", "a\n"])
def test_output_names(tmp_path: Path, name: str) -> None:
    """A name that could be more than a name is refused, and nothing is written."""
    with pytest.raises(PublishError):
        write_outputs({"GITHUB_OUTPUT": str(tmp_path / "output")}, {"fine": "1", name: "x"})
    assert not (tmp_path / "output").exists()


def test_summary_is_appended(tmp_path: Path) -> None:
    """A summary comes after what is there."""
    file = tmp_path / "summary"
    file.write_text("before\n", encoding="utf-8")
    append_summary({"GITHUB_STEP_SUMMARY": str(file)}, "## ✅ Pass\n")
    assert file.read_text(encoding="utf-8") == "before\n## ✅ Pass\n"


def test_summary_too_large(tmp_path: Path) -> None:
    """What the runner would drop is refused, with what is there counted."""
    file = tmp_path / "summary"
    file.write_text("x" * 100, encoding="utf-8")
    environ = {"GITHUB_STEP_SUMMARY": str(file)}
    with pytest.raises(PublishError, match="bytes"):
        append_summary(environ, "y" * (MAX_SUMMARY_BYTES - 100))
    append_summary(environ, "y" * (MAX_SUMMARY_BYTES - 101))
    assert file.stat().st_size == MAX_SUMMARY_BYTES - 1


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    """A file that is not named, or cannot be written, is a `PublishError` that names it."""
    for path in (str(tmp_path), str(tmp_path / "missing" / "file"), "/proc/version"):
        with pytest.raises(PublishError, match="GITHUB_STEP_SUMMARY"):
            append_summary({"GITHUB_STEP_SUMMARY": path}, "x")
        with pytest.raises(PublishError, match="GITHUB_OUTPUT"):
            write_outputs({"GITHUB_OUTPUT": path}, {"a": "b"})
    with pytest.raises(PublishError, match="not set"):
        append_summary({}, "x")
    with pytest.raises(PublishError, match="not set"):
        write_outputs({}, {})


@pytest.mark.parametrize(
    ("count", "lines", "last"), [(0, 0, None), (10, 10, "m9"), (11, 10, "2 more"), (500, 10, "491 more")]
)
def test_must_16_annotation_limit(count: int, lines: int, last: str) -> None:
    """At most ten of each kind, and the tenth says how many are missing."""
    wanted = [Annotation(level=level, message=f"m{n}") for n in range(count) for level in ("warning", "error")]
    shown = annotations(wanted)
    assert [line.split()[0] for line in shown] == ["::error"] * lines + ["::warning"] * lines
    if last:
        assert last in shown[-1]
        assert last in shown[lines - 1]


@given(st.text(), st.text())
@example("a,b:c%\n", "::error::\r\n%0A")
@example("", "%" * 10_000)
@example("", "😀" * 10_000)
def test_annotation_is_one_command(title: str, message: str) -> None:
    """An annotation is one line below the limit, whose title and message cannot end it."""
    (line,) = annotations([Annotation(level="error", title=title, message=message)])
    assert len(line.splitlines()) == 1 or not commands("\n".join(line.splitlines()[1:]))
    assert "\n" not in line
    assert len(line) < 4096
    head = re.match(r"::error title=([^,:]*)::", line)
    assert head


def test_must_16_annotation_escapes() -> None:
    """Per cent signs, lines and, in the title, colons and commas arrive as they were."""
    wanted = Annotation(level="warning", title="a: b, 5%", message="61 %25\nmore: x, y")
    assert annotations([wanted]) == ["::warning title=a%3A b%2C 5%25::61 %2525%0Amore: x, y"]
