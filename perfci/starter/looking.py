"""Reads a repository: ways to start the service, existing load tests, and endpoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from perfci.starter import compose_file, load_files, openapi, other_apps, python_apps, routes
from perfci.starter.files import Files
from perfci.starter.guesses import Guess, Start

KINDS = ("compose", "command", "dockerfile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the files of a repository show."""

    starts: tuple[Start, ...]  # the best first
    existing: load_files.Existing
    document_name: str
    document: Mapping[str, Any] | None
    declared: tuple[str, ...]  # paths of GET routes
    parametrised: tuple[str, ...]  # those with parameters, "/items/{id}"
    health: str  # the path of a health check that the code declares


def look(files: Files) -> Look:
    """Read the repository without running any of it."""
    starts = [
        *compose_file.starts(files),
        *python_apps.starts(files),
        *other_apps.node_starts(files),
        *other_apps.go_starts(files),
        *other_apps.rails_starts(files),
        *other_apps.procfile_starts(files),
        *other_apps.dockerfile_starts(files),
    ]
    found = openapi.find(files)
    return Look(
        starts=tuple(starts),
        existing=load_files.find(files),
        document_name=found[0] if found else "",
        document=found[1] if found else None,
        declared=tuple(routes.declared(files)),
        parametrised=tuple(routes.parametrised(files)),
        health=routes.health(files),
    )


def chosen(seen: Look, kind: str | None) -> Start | None:
    """The best way to start the service: of the requested *kind*, or of all."""
    return next((start for start in seen.starts if kind in {None, start.kind}), None)


def alternatives(seen: Look, start: Start) -> tuple[Guess, ...]:
    """A note that names the other ways to start the service, if there are any."""
    others = dict.fromkeys(each.kind for each in seen.starts if each.kind != start.kind)
    return (Guess("instead", ", ".join(f"--target {kind}" for kind in others), "they start it, too"),) if others else ()
