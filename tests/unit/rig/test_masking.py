"""Secret values in texts and files: none of them is left, in no form, and nothing else is lost."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.errors import TargetError
from perfci.rig.host.masking import HIDDEN, Mask

pytestmark = pytest.mark.kind("C")

SECRET = 'p%s"w/ö+rd'


@pytest.mark.parametrize(
    "form", [SECRET, json.dumps(SECRET), quote(SECRET, safe=""), base64.b64encode(SECRET.encode()).decode()]
)
def test_a_value_is_hidden_in_the_forms_that_programs_write(form: str, tmp_path: Path) -> None:
    """A log holds it in JSON, an address with escapes, a header in base64."""
    mask = Mask([SECRET])
    assert mask(f"a {form} b") in {f"a {HIDDEN} b", f'a "{HIDDEN}" b'}
    (tmp_path / "log").write_bytes(b"\x00\xff" + form.encode() + b"\n")
    mask.sweep(tmp_path)
    left = (tmp_path / "log").read_bytes()
    assert len(left) == len(form.encode()) + 3
    assert form.strip('"').encode() not in left


@given(st.text(min_size=6), st.text(), st.text())
def test_no_value_of_some_length_survives(value: str, before: str, after: str) -> None:
    """Wherever it stands, line by line."""
    lines = [line.strip() for line in value.splitlines() if len(line.strip()) >= 6]
    masked = Mask([value])(before + value + after)
    assert all(line in HIDDEN or line not in masked for line in lines)


def test_a_short_value_is_hidden_as_a_word_only() -> None:
    """As a part of words it would take the text with it."""
    mask = Mask(["abc"])
    assert mask("key abc, 1abcd, 'abc'") == f"key {HIDDEN}, 1abcd, '{HIDDEN}'"
    assert mask.inside({"abc": ["abc", 1, {"a": "x=abc"}]}) == {"abc": [HIDDEN, 1, {"a": f"x={HIDDEN}"}]}


def test_a_value_of_many_lines_is_hidden_line_by_line() -> None:
    """As a log repeats a private key."""
    assert Mask(["first line\n\n  second line\n"])("first line\nor second line") == f"{HIDDEN}\nor {HIDDEN}"


def test_an_error_says_it_neither_in_its_message_nor_in_its_hint() -> None:
    """Both are printed."""
    error = TargetError("no hunter2", hint="try hunter2")
    Mask(["hunter2"]).error(error)
    assert (str(error), error.hint) == (f"no {HIDDEN}", f"try {HIDDEN}")


def test_without_values_nothing_changes(tmp_path: Path) -> None:
    """Most jobs have no secret."""
    (tmp_path / "log").write_text("text")
    mask = Mask()
    mask.sweep(tmp_path)
    assert not mask
    assert (mask("text"), (tmp_path / "log").read_text()) == ("text", "text")


def test_what_was_swept_is_read_again_only_where_it_changed(tmp_path: Path) -> None:
    """Logs of earlier blocks are long, and links lead anywhere."""
    outside = tmp_path / "outside"
    outside.write_text("hunter2")
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    (folder / "a").write_text("hunter2")
    (folder / "empty").touch()
    mask = Mask(["hunter2"])
    mask.sweep(folder)
    with (folder / "a").open("a") as file:
        file.write(" hunter2")
    mask.sweep(folder)
    assert (folder / "a").read_text() == "******* *******"
    assert outside.read_text() == "hunter2"
