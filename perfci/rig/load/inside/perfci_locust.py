"""
Runs Locust's own program without the settings files that it would read, and with as many open files as possible.

A `locust.conf`, or a table in the project's `pyproject.toml` or the home folder, would change the load without the
plan's knowledge, and under load only. Locust has no option that leaves them out.

The recorder is loaded before the user's files, of which PERFCI_LOCUSTFILES is a JSON list: Locust's `-f` would split a
path at its comma. With PERFCI_COLLECTION, `perfci_collection.py` is loaded after them. An option counts only where its
whole name is given, so that an argument of the file's own is never taken for one of Locust's.

Each user keeps a connection. Locust asks for 10,000 files, where many users need more and the system may give more.
"""

import contextlib
import json
import os
import resource
import sys
from functools import partialmethod
from pathlib import Path
from typing import Any

import perfci_plugins  # noqa: F401  # before Locust
import perfci_tls
from locust import argument_parser
from locust import main as program
from perfci_endings import ENDINGS, raised_at

for function in (argument_parser.get_empty_argument_parser, argument_parser.get_parser):
    function.__defaults__ = tuple(
        () if value == argument_parser.DEFAULT_CONFIG_FILES else value for value in function.__defaults__ or ()
    )
argument_parser.LocustArgumentParser.__init__ = partialmethod(  # type: ignore[method-assign, assignment]
    argument_parser.LocustArgumentParser.__init__, allow_abbrev=False
)


def files(options: Any) -> list[str]:
    """The files that Locust loads, in this order; the recorder and the collection only where they have a place."""
    recorder, collection = (str(Path(__file__).with_name(f"perfci_{name}.py")) for name in ("recorder", "collection"))
    before = [recorder] if {"PERFCI_RECORD", "PERFCI_WORKER"} & os.environ.keys() else []
    after = [collection] if "PERFCI_COLLECTION" in os.environ else []
    own = json.loads(os.environ.get("PERFCI_LOCUSTFILES", "null")) or [options.locustfile]
    return argument_parser.parse_locustfile_paths([*before, *own, *after])


setattr(program, "get_locustfiles_locally", files)  # noqa: B010  # Locust does not export it
# A file without a user class is a mistake, which Locust would take for a suite of pytest's.
setattr(program, "load_locustfile_pytest", lambda _: {})  # noqa: B010  # Locust does not export it

perfci_tls.install()

if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # some systems name a limit that they do not give
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        program.main()
    except SystemExit as error:  # also that of Locust itself, which no line of the user's raised
        if (where := raised_at(error)) and not ENDINGS:
            sys.stderr.write(f"perfci: the Locust file itself ended the run: SystemExit({error.code!r}) in {where}\n")
        raise
