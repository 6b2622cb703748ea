"""`python -m bench.systems.workflows FILE...`: when workflows start, what they ask, and which steps they have."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


def lines(file: Path) -> Iterator[str]:
    """One line for each trigger, input, job and step of a workflow, or of a composite action."""
    content: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    for trigger, given in (content.get(True) or {}).items():  # YAML 1.1 reads `on` as true
        yield f"{file.name} starts on {trigger}" + _times(trigger, given)
    inputs = content.get("inputs") or ((content.get(True) or {}).get("workflow_dispatch") or {}).get("inputs") or {}
    for name, given in inputs.items():
        choice = f", one of {', '.join(given['options'])}" if "options" in given else ""
        yield f"{file.name} asks for {name}, by default {given.get('default', '')!r}{choice}"
    steps = content.get("runs", {}).get("steps", [])
    for name, job in (content.get("jobs") or {}).items():
        yield f"{file.name} has the job {name} on {(job.get('strategy') or {}).get('matrix') or job.get('runs-on')}"
        steps = [*steps, *job.get("steps", [])]
    for step in steps:
        yield f"{file.name} step {step.get('uses') or step.get('name') or step.get('run')}".splitlines()[0]


def _times(trigger: str, given: Any) -> str:
    return f" at {', '.join(each['cron'] for each in given)}" if trigger == "schedule" else ""


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print("\n".join(lines(Path(argument))))
