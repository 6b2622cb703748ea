"""
Makes databases in stock images count their statements for a census.

PostgreSQL needs a library that is loaded at its start, MariaDB a switch. perfci adds these to the command of the
service, on top of what is there. It does so for every start of a run, not for the census alone: what is counted and
what is timed are then one system, and both sides carry the same few microseconds per statement.
"""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from perfci.rig.host import docker

LIBRARY = "pg_stat_statements"

_PRELOAD = re.compile(r"(?:-c *|--)?shared[_-]preload[_-]libraries *= *(.*)", re.DOTALL)
_LOOK = (
    f"find / -xdev -name {LIBRARY}.so | grep -q . && echo there; "
    "find / -xdev -name postgresql.conf.sample -exec grep -h '^ *shared_preload_libraries' {} +; true"
)
_SAMPLE = re.compile(r"^ *shared_preload_libraries *= *'([^']*)'", re.MULTILINE)


def amend(services: dict[str, dict[str, Any]], *, environ: Mapping[str, str]) -> dict[str, str]:
    """Change the commands of *services* where needed, and return by service what was changed, or why not."""
    names = [str(service.get("image") or "") for service in services.values()]
    images = _inspected(names, environ) or [(_inspected([name], environ) or [{}])[0] for name in names]
    notes = {}
    for (name, service), image in zip(services.items(), images, strict=True):
        if image and (note := _amend(service, image, environ)):
            notes[name] = note
    return notes


def _inspected(images: Sequence[str], environ: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """What the engine knows of *images*; empty where it does not have all of them."""
    done = docker.run("image", "inspect", *images, environ=environ)
    found: list[Mapping[str, Any]] = json.loads(done.out) if done.ok else []
    return found


def _amend(service: dict[str, Any], image: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    settings = image.get("Config") or {}
    stock = [str(part) for part in settings.get("Cmd") or []]
    variables = dict(entry.partition("=")[::2] for entry in settings.get("Env") or [])
    command = [str(part) for part in service.get("command") or [part.replace("$", "$$") for part in stock]]
    if stock == ["postgres"] and "PGDATA" in variables:
        if _own(service, command, {"postgres"}) or _own_file(service, command):
            return f"perfci did not add {LIBRARY}: the service has a command or a configuration file of its own"
        found, preloaded = _contents(str(image["Id"]), tuple(sorted(environ.items())))
        if not found:
            return f"perfci did not add {LIBRARY}: the image does not hold it"
        return _with_library(service, command, preloaded)
    if stock[-1:] in (["mariadbd"], ["mysqld"]) and "MARIADB_VERSION" in variables:
        if _own(service, command, {"mariadbd", "mysqld"}):
            return "perfci did not turn the performance schema on: the service has a command of its own"
        if not any("performance" in part and "schema" in part for part in command):
            service["command"] = [*command, "--performance-schema=ON"]
            return "perfci turned the performance schema on"
    return ""


def _own(service: Mapping[str, Any], command: list[str], programs: set[str]) -> bool:
    """Whether the service runs something else than the entry point or the server programs of the image."""
    return bool(service.get("entrypoint")) or not command or not (command[0] in programs or command[0].startswith("-"))


def _own_file(service: Mapping[str, Any], command: list[str]) -> bool:
    """Whether the configuration lies where perfci cannot see which libraries it preloads."""
    mounts = [*(service.get("volumes") or []), *(service.get("configs") or [])]
    targets = [str(mount.get("target") or "") for mount in mounts if isinstance(mount, Mapping)]
    return any("config_file" in part or "config-file" in part for part in command) or any(
        target.endswith(".conf") for target in targets
    )


@functools.cache
def _contents(image: str, environ: tuple[tuple[str, str], ...]) -> tuple[bool, str]:
    """Look into an image once: whether it has the library, and what its sample configuration preloads."""
    run = ("run", "--rm", "--network", "none", "--entrypoint", "sh", image, "-c", _LOOK)
    said = docker.run(*run, environ=dict(environ)).out
    sample = _SAMPLE.search(said)
    return "there" in said.split(), sample[1] if sample else ""


def _with_library(service: dict[str, Any], command: list[str], preloaded: str) -> str:
    """The command with the library after all others; of an option that is given twice, the last one counts."""
    given = [(position, found) for position, part in enumerate(command) if (found := _PRELOAD.fullmatch(part))]
    if given:
        position, found = given[-1]
        if LIBRARY in found[1]:
            return ""
        command[position] += f",{LIBRARY}" if found[1] else LIBRARY
    elif LIBRARY in preloaded:
        return ""
    else:
        libraries = ",".join(filter(None, (preloaded, LIBRARY)))
        command = [*command, "-c", f"shared_preload_libraries={libraries}"]
    service["command"] = command
    return f"perfci preloads {LIBRARY}"
