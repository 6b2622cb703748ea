"""
Makes the key of a gate, by which its comment and artifact differ from those of every other gate.

It is equal for every run of the same gate, so neither a run, an attempt nor a commit is part of it.
"""

import hashlib
import json
import os.path
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MAX_KEY = 80
_DIGEST = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a gate measures, as its inputs name it."""

    profile: str = ""
    config: str = ""
    environment: str = ""


def key_of(environ: Mapping[str, str], measured: Measured) -> str:
    """
    The chosen key (PERFCI_KEY), or one that is made of workflow, job, matrix leg and what is measured.

    GITHUB_WORKFLOW_REF and GITHUB_JOB name the calling workflow and, in a reusable workflow, the job of the called one;
    PERFCI_JOB_WORKFLOW names the file of the called one. Nothing in a job's environment tells two calls of one
    reusable workflow with the same inputs apart: there a key has to be chosen.
    """
    if chosen := environ.get("PERFCI_KEY", "").strip():
        return slug(chosen)
    workflow, job = _workflow(environ), environ.get("GITHUB_JOB", "")
    identity = [
        workflow,
        environ.get("PERFCI_JOB_WORKFLOW", "").partition("@")[0],
        job,
        _matrix(environ),
        measured.profile,
        _relative(measured.config, environ.get("GITHUB_WORKSPACE", "")),
        measured.environment,
    ]
    readable = [PurePosixPath(workflow).stem, job, measured.profile, measured.environment]
    return _joined(_words("-".join(part for part in readable if part)), json.dumps(identity))


def former_key(environ: Mapping[str, str]) -> str:
    """The key that earlier versions gave to every gate of this job; "" where they cut it, since others may share it."""
    if chosen := environ.get("PERFCI_KEY", ""):
        parts = [chosen]
    else:
        parts = [PurePosixPath(_workflow(environ)).stem, environ.get("GITHUB_JOB", "")]
        if (matrix := environ.get("PERFCI_MATRIX", "").strip()) not in {"", "null", "{}"}:
            parts.append(hashlib.sha256(matrix.encode()).hexdigest()[:_DIGEST])
    key = re.sub(r"[^a-z0-9.]+", "-", "-".join(part for part in parts if part).lower()).strip("-.")
    return key if len(key) <= MAX_KEY else ""


def slug(text: str) -> str:
    """
    *text* as a key of at most 80 characters: lower-case letters, digits, dots, underscores and single hyphens.

    A text that needs more than lower case ends with a digest of the whole, so that no two texts share a key.
    """
    words = _words(text)
    return words if words and words == text.lower() and len(words) <= MAX_KEY else _joined(words, text)


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", text.lower()).strip("-._")


def _joined(words: str, whole: str) -> str:
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    kept = words[: MAX_KEY - _DIGEST - 1].rstrip("-._")
    return f"{kept or 'gate'}-{digest}"


def _workflow(environ: Mapping[str, str]) -> str:
    return environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0] or environ.get("GITHUB_WORKFLOW", "")


def _matrix(environ: Mapping[str, str]) -> str:
    text = environ.get("PERFCI_MATRIX", "").strip()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(values, sort_keys=True) if values else ""


def _relative(config: str, workspace: str) -> str:
    """*config* within the workspace: runners keep their workspaces in different places."""
    path = Path(os.path.normpath(config)) if config else Path()
    inside = workspace and path.is_relative_to(workspace)
    return str(path.relative_to(workspace) if inside else path)
