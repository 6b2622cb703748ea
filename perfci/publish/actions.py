"""
Writes to the runner's channels: outputs, job summary, annotations, and a log without foreign workflow commands.

The runner obeys what a step prints. So text that others wrote goes through `clean` before it is printed, outputs go
to the file and not to the log, and they are written once, last.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from perfci.errors import PublishError
from perfci.publish.event import Job, read_job

__all__ = ["Annotation", "Job", "annotations", "append_summary", "clean", "read_job", "write_outputs"]

MAX_SUMMARY_BYTES = 1 << 20
MAX_ANNOTATIONS = 10
MAX_ANNOTATION = 4096

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """A line that the runner shows on the run's page."""

    level: Literal["error", "warning"]
    message: str
    title: str = "perfci"


def clean(text: str) -> str:
    """*text* without escape sequences, invisible characters and workflow commands; for untrusted lines of a log."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    seen = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cf", "Cs"})
    without = re.sub(r"^(\s*):(?=:)", r"\1: ", _INVISIBLE.sub("", seen), flags=re.MULTILINE)
    return without.replace("##[", "## [")


def masking(value: str) -> str:
    """The command that makes the runner hide *value* in all that is printed from then on."""
    return f"::add-mask::{_escape(value)}"


def annotations(wanted: Iterable[Annotation]) -> list[str]:
    """The lines to print: at most ten errors and ten warnings, errors first, the last one counting what is left out."""
    listed = list(wanted)
    return [line for level in ("error", "warning") for line in _limited([a for a in listed if a.level == level])]


def write_outputs(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Give *outputs* to the steps that follow. Call it once, last: what a step prints cannot change them then."""
    text = "".join(_output(name, value) for name, value in outputs.items())
    _append(environ, "GITHUB_OUTPUT", text)


def append_summary(environ: Mapping[str, str], text: str) -> None:
    """Add *text* to the job summary; `PublishError` where the file cannot take it."""
    path = Path(environ.get("GITHUB_STEP_SUMMARY", ""))
    size = len(text.encode("utf-8", "replace")) + (path.stat().st_size if path.is_file() else 0)
    if size >= MAX_SUMMARY_BYTES:
        raise PublishError(f"the job summary would have {size} bytes; the runner takes less than {MAX_SUMMARY_BYTES}")
    _append(environ, "GITHUB_STEP_SUMMARY", text)


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    path = environ.get(variable, "")
    if not path:
        raise PublishError(f"{variable} is not set", hint="Only the runner sets it; leave this out anywhere else.")
    try:
        with Path(path).open("a", encoding="utf-8", errors="replace", newline="\n") as file:
            file.write(text)
    except OSError as problem:
        raise PublishError(f"{variable}={path} cannot be written: {problem.strerror or problem}") from None


def _output(name: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        raise PublishError(f"{name!r} cannot be the name of an output: letters, digits, - and _ only")
    delimiter = f"perfci_{secrets.token_hex(16)}"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _limited(group: list[Annotation]) -> Iterator[str]:
    kept = group if len(group) <= MAX_ANNOTATIONS else group[: MAX_ANNOTATIONS - 1]
    yield from map(_command, kept)
    if hidden := len(group) - len(kept):
        yield _command(Annotation(level=group[0].level, message=f"{hidden} more: see the job summary and the report."))


def _command(annotation: Annotation) -> str:
    title = _escape(clean(annotation.title)[:100]).replace(":", "%3A").replace(",", "%2C")
    head = f"::{annotation.level} title={title}::"
    message = clean(annotation.message)
    while len(line := head + _escape(message)) >= MAX_ANNOTATION:
        message = message[: len(message) * 3 // 4].rstrip("…") + "…"
    return line


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
