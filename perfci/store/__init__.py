"""
Stores runs and baselines: versioned JSON, written atomically, read strictly.

A run lives in a folder of its own beside its logs; a baseline is a folder of immutable run files, one per accepted run,
so that two branches that both record one never conflict, and one `census.json`, which is meant to: two branches that
change the work of a request should know of each other.
"""

from perfci.store.baselines import (
    NEWEST,
    accepted_runs,
    baseline_folder,
    committed_census,
    load_baseline,
    record,
    without_seconds,
)
from perfci.store.census import CENSUS, load_census, save_census
from perfci.store.files import LARGEST_BYTES, write_atomically
from perfci.store.run_folder import RunFolder
from perfci.store.runs import check_names, load, save, text

__all__ = [
    "CENSUS",
    "LARGEST_BYTES",
    "NEWEST",
    "RunFolder",
    "accepted_runs",
    "baseline_folder",
    "check_names",
    "committed_census",
    "load",
    "load_baseline",
    "load_census",
    "record",
    "save",
    "save_census",
    "text",
    "without_seconds",
    "write_atomically",
]
