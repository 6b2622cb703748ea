"""
Writes which user classes the Locust files have, with the tags of their tasks, and ends Locust before any user starts.

`perfci_locust.py` lets Locust load it after the user's own files. PERFCI_COLLECTION names the JSON file, an object with
a list of tasks for each user class; a task is the list of its tags.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from locust import events


@events.init.add_listener
def _write(environment: Any, **_: Any) -> None:
    found = {
        user_class.__name__: sorted({tuple(sorted(tags)) for tags in _tags_of(user_class)})
        for user_class in environment.user_classes
    }
    Path(os.environ["PERFCI_COLLECTION"]).write_text(json.dumps(found), encoding="utf-8")
    raise SystemExit(0)


def _tags_of(holder: Any) -> Iterator[set[str]]:
    """The tags of each task of a user class or task set, those of nested task sets included."""
    for task in getattr(holder, "tasks", ()):
        if hasattr(task, "tasks"):
            yield from _tags_of(task)
        else:
            yield getattr(task, "locust_tag_set", set())
