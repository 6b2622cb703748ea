"""
Runs and baselines on disk: versioned JSON, written atomically, read strictly.

A run lives in a folder of its own beside its logs; a baseline is a folder of immutable run files, one per accepted run,
so that two branches that both record one never conflict.
"""

import json
import math
import os
import re
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from perfci.errors import ConfigError, ResultError
from perfci.model import Baseline, Round, Run
from perfci.schema import describe

SCHEMA = 1
LARGEST_BYTES = 64 * 2**20
LARGEST_COUNT = 2**53
DAMAGED = "the file is damaged or truncated: measure again, or restore it"
NEWEST = 10  # runs of one machine class that count as the baseline

_RUN: TypeAdapter[Run] = TypeAdapter(Run)


def save(run: Run, path: Path) -> None:
    """Write *run* to *path* in one step: a reader, or a crash, sees the old file or the new one."""
    text = json.dumps({"schema": SCHEMA, **_RUN.dump_python(run, mode="json")}, indent=1, sort_keys=True)
    write_atomically(path, text + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace the content of *path* in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: Path) -> Run:
    """The run in *path*, or in the folder *path*; ResultError says why it cannot be used."""
    file = path
    try:
        file = path / "run.json" if path.is_dir() else path
        if file.stat().st_size > LARGEST_BYTES:
            raise ResultError(f"{file} is larger than {LARGEST_BYTES // 2**20} MiB and so no run of perfci's")
        content = json.loads(
            file.read_bytes(), parse_float=_finite, parse_constant=_finite, object_pairs_hook=_each_once
        )
    except FileNotFoundError:
        raise ResultError(f"there is no run at {path}", hint="`perfci run` prints where it stored one") from None
    except OSError as error:
        raise ResultError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{file} is not JSON: {error}", hint=DAMAGED) from None
    return _checked(content, file)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no measured number")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of an endpoint that came twice, one would be lost in silence."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{twice[:60]!r} is there twice")
    return found


def _checked(content: Any, file: Path) -> Run:
    if not isinstance(content, dict) or "schema" not in content:
        raise ResultError(f"{file} is JSON, but not a run of perfci's: it has no schema number")
    schema = content.pop("schema")
    if schema != SCHEMA:
        raise ResultError(
            f"{file} has schema {schema!r}, this perfci reads {SCHEMA}",
            hint="use the perfci that wrote it, or record anew",
        )
    try:
        run = _RUN.validate_python(content)
    except ValidationError as problems:
        raise ResultError(describe(problems, where=str(file))) from None
    _check_names(run, file)
    for measured in run.rounds:
        _check_counts(measured, file)
    return run


def _check_names(run: Run, file: Path) -> None:
    """Names become parts of paths: a run file must not choose where it is recorded."""
    for what, name in (("profile", run.profile), ("scenario", run.scenario), ("id", run.id)):
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,99}", name):
            raise ResultError(f"{file}: {name[:60]!r} cannot be the {what} of a run")


def _check_counts(measured: Round, file: Path) -> None:
    counts = [
        *((endpoint, seen.requests, seen.failures) for endpoint, seen in measured.endpoints.items()),
        *((f"second {line.at_s}", line.requests, line.failures) for line in measured.seconds),
    ]
    for what, requests, failures in counts:
        if not 0 <= failures <= requests <= LARGEST_COUNT:
            text = f"{what!r} counts {str(failures)[:20]} failures of {str(requests)[:20]} requests"
            raise ResultError(f"{file}: {text}", hint=DAMAGED)
    if measured.duration_s < 0 or measured.warmup_s < 0:
        raise ResultError(f"{file}: round {measured.number} of block {measured.block} has a negative length")


def baseline_folder(root: Path, profile: str, scenario: str) -> Path:
    """Where the accepted runs of a scenario are."""
    return root / f"{profile}-{scenario}"


def load_baseline(folder: Path, *, like: Run) -> Baseline:
    """
    The newest accepted runs in *folder*: of the machine class of *like* where there are any, else of all.

    No folder or an empty one is a baseline without runs: absence is a value that the gate names.
    """
    runs = sorted((load(file) for file in sorted(folder.glob("*.json")) if file.name != "census.json"), key=_age)
    here = like.fingerprint.machine.machine_class
    same = [run for run in runs if run.fingerprint.machine.machine_class == here]
    return Baseline(location=f"{folder.parent.name}/{folder.name}", runs=tuple((same or runs)[-NEWEST:]))


def _age(run: Run) -> tuple[str, str]:
    return run.created_at, run.id


def record(run: Run, root: Path) -> Path:
    """Accept *run* into the baseline of its scenario; the per-second lines and logs stay behind."""
    if not run.complete:
        raise ConfigError(f"run {run.id} is not complete and cannot become a baseline", hint="measure it again")
    _check_names(run, root)
    slim = replace(run, rounds=tuple(replace(measured, seconds=()) for measured in run.rounds))
    stamp = run.created_at[:19].replace(":", "").replace("-", "")
    path = baseline_folder(root, run.profile, run.scenario) / f"{stamp}-{run.id}.json"
    if path.exists():
        raise ConfigError(f"{path} exists: run {run.id} is already part of the baseline")
    save(slim, path)
    return path
