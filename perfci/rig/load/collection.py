"""Lists the user classes of Locust files and the tags of their tasks; loads the files as for a load, sends nothing."""

import json
from collections.abc import Mapping

from perfci.errors import LoadError
from perfci.model import LoadPlan
from perfci.rig.load.generator import Place, attend, generating, locust
from perfci.rig.load.runtime import variables_of

LOADED_S = 120.0  # for Locust to load the files, also on a busy machine
NOBODY = "http://127.0.0.1:9"  # stands for the target, which is not started: the discard port
FILE = "collection.json"

Collection = Mapping[str, frozenset[frozenset[str]]]
"""User class -> the tags of each of its tasks."""


def collect(plan: LoadPlan, place: Place) -> Collection:
    """The user classes of the plan's Locust files and the tags of their tasks; LoadError where they do not load."""
    place.folder.mkdir(parents=True, exist_ok=True)
    file = place.folder / FILE
    begin, files = locust(plan, place, base_url=NOBODY)
    command = [*begin, "--headless", "-H", NOBODY]
    extra = {**variables_of(plan.environment, NOBODY), **files, "PERFCI_COLLECTION": str(file)}
    with generating(command, place, extra=extra) as generator:
        attend([generator], place.watch, planned_s=LOADED_S, limit_s=LOADED_S)
    if not file.exists():
        raise LoadError(f"the Locust file ended the run as it was loaded, or took more than {LOADED_S:g} s for it")
    return {name: frozenset(map(frozenset, tasks)) for name, tasks in json.loads(file.read_text("utf-8")).items()}
