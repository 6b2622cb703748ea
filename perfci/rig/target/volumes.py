"""Copies what the volumes of a compose project hold, and fills those of a later start with it, through `docker cp`."""

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from perfci.errors import TargetError
from perfci.rig.host import docker
from perfci.rig.target.stack import Stack

COPY_S = 600.0
"""The longest time that copying a single volume may take."""


def copied(containers: list[dict[str, Any]], stack: Stack) -> dict[str, tuple[str, str]]:
    """
    The volumes of the copy: container and path at which each is mounted, by the name of a file for its content.

    One that several containers mount is there once. The names are the same for every start of the project.
    """
    found: dict[str, tuple[str, str]] = {}
    seen = set()
    for container in containers:
        name = str(container["Name"]).lstrip("/").removeprefix(f"{stack.name}-")
        for mount in container.get("Mounts") or []:
            if mount["Type"] == "volume" and mount["RW"] and mount["Name"] not in seen:
                seen.add(mount["Name"])
                file = f"{name}{quote(mount['Destination'], safe='')}.tar"
                found[file] = (str(container["Id"]), str(mount["Destination"]))
    return dict(sorted(found.items()))


def save(stack: Stack, folder: Path, *, grace_s: int) -> None:
    """Stop all services, so that nothing is written any more, and copy every volume into *folder*."""
    what = "the services could not be stopped for a copy of their data"
    stack.must("stop", "-t", str(grace_s), timeout_s=COPY_S, log="stop", what=what)
    try:
        folder.mkdir(mode=0o700)
        for file, (container, path) in copied(stack.containers(), stack).items():
            with (folder / file).open("wb") as content:
                _copy(stack, f"{container}:{path}", "-", out=content)
    except OSError as error:
        raise TargetError(f"a volume could not be copied to {folder}: {error}") from None


def restore(stack: Stack, folder: Path) -> None:
    """Create the containers of *stack*, and fill their volumes, before any of them is started."""
    what = "the containers could not be created"
    stack.must("up", "--no-start", "--no-build", timeout_s=COPY_S, log="create", what=what)
    there = copied(stack.containers(), stack)
    for file in sorted(folder.iterdir()):
        if file.name not in there:
            raise TargetError(f"the copied volume {unquote(file.stem)} has no place in this start")
        container, path = there[file.name]
        with file.open("rb") as content:
            _copy(stack, "-", f"{container}:{PurePosixPath(path).parent}", into=content)  # with its owner and mode


def _copy(stack: Stack, source: str, target: str, **files: Any) -> None:
    environ: Mapping[str, str] = stack.launch.environ
    with docker.running("cp", source, target, environ=environ, timeout_s=COPY_S, **files) as ended:
        done = ended()
    if not done.ok:
        raise TargetError(f"a volume could not be copied: docker cp {source} {target}: {docker.last_line(done.err)}")
