"""
Absolute paths into the checkout that stand in a compose file: a side that is checked out elsewhere has its own there.

Variables such as PWD lead into the side's own tree by themselves. A path that is written out would have one side read,
mount and build what belongs to the other.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

Config = dict[str, Any]


def moved(
    config: Mapping[str, Any], *, written: str, checkout: str, tree: str, exists: Callable[[str], bool]
) -> tuple[Config, tuple[str, ...]]:
    """
    Return the resolved *config* with its paths below *checkout* in the *tree* of the side, and what is in the way.

    *written* are the compose files as they stand: what compose itself has read by such a path is not in the config.
    """
    found: Config = json.loads(json.dumps(config))
    resolved, problems = json.dumps(config), []
    for table, key, what in _paths(found):
        path = str(table[key])
        if not PurePosixPath(path).is_relative_to(checkout):
            continue
        own = str(PurePosixPath(tree) / PurePosixPath(path).relative_to(checkout))
        if exists(path) and not exists(own):
            problems.append(f"{what} is {path}, of which this side has nothing: git does not have it")
        table[key] = own
    literals = re.findall(re.escape(checkout) + r"/[^\s\"'`,:;\[\]{}]+", written)
    problems += [
        f"the compose file names {path}, which is the other side's: write it relative to the compose file"
        for path in dict.fromkeys(literals)
        if path not in resolved
    ]
    return found, tuple(problems)


def _paths(config: Config) -> Iterator[tuple[Any, Any, str]]:
    """Yield every path of the machine in the configuration: what has it, under which key, and its kind."""
    for name, service in (config.get("services") or {}).items():
        yield from _of_service(name, service)
    for kind in ("configs", "secrets"):
        for name, entry in (config.get(kind) or {}).items():
            if (entry or {}).get("file"):
                yield entry, "file", f"the file of {kind.removesuffix('s')} {name!r}"
    for name, volume in (config.get("volumes") or {}).items():
        options = (volume or {}).get("driver_opts") or {}
        if options.get("device"):
            yield options, "device", f"the device of volume {name!r}"


def _of_service(name: str, service: Config) -> Iterator[tuple[Any, Any, str]]:
    for mount in service.get("volumes") or []:
        if mount.get("type") == "bind":
            yield mount, "source", f"a bind mount of service {name!r}"
    build = service.get("build") or {}
    for key in sorted({"context", "dockerfile"} & build.keys()):
        yield build, key, f"the {key} of the build of service {name!r}"
    contexts = build.get("additional_contexts") or {}
    for key in contexts:
        yield contexts, key, f"the additional context {key!r} of service {name!r}"
