"""Renames the images that a compose project builds, in every service and Dockerfile that uses them."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from perfci.errors import TargetError

_STAGE = re.compile(r"^(\s*FROM\s+(?:--\S+\s+)*)(\S+)(.*)$", re.IGNORECASE | re.MULTILINE)
_COPY = re.compile(r"(^\s*COPY\s+(?:--\S+\s+)*?--from=)(\S+)", re.IGNORECASE | re.MULTILINE)
_MOUNT = re.compile(r"(\s--mount=(?:\S*,)?from=)([^\s,]+)")
_ARG = re.compile(r"(^\s*ARG\s+\w+=)(\S+)", re.IGNORECASE | re.MULTILINE)
_ALIAS = re.compile(r"^\s*FROM\s+.*\sAS\s+(\S+)\s*$", re.IGNORECASE | re.MULTILINE)


def tags(
    services: Mapping[str, Mapping[str, Any]], *, prefix: str, build: bool, prebuilt: Mapping[str, str]
) -> dict[str, str]:
    """The new names of the images that the project builds, or has *prebuilt* by service, by their old names."""
    had = {_image(name, services[name]): image for name, image in prebuilt.items()}
    named = {name: _image(name, each) for name, each in services.items() if "build" in each and name not in prebuilt}
    if build:
        return had | {image: f"{prefix}-{name}".lower() for name, image in named.items()}
    unnamed = sorted(name for name in named if not services[name].get("image"))
    if unnamed:
        raise TargetError(
            f"build = false, but these services have no image name to be found by: {', '.join(unnamed)}",
            hint="give them an image in the compose file, or let perfci build: build = true",
        )
    return had


def rename(
    name: str,
    service: dict[str, Any],
    tags: Mapping[str, str],
    *,
    build: bool,
    prebuilt: Mapping[str, str],
    dockerfile: str = "",
) -> None:
    """Let *service*, built by the text *dockerfile*, use the renamed images; *prebuilt* are images by their service."""
    built, image = "build" in service, _image(name, service)
    service["image"] = _renamed(image, tags)
    if not build:
        service.pop("build", None)
    if built or service["image"] != image:
        service["pull_policy"] = "build" if built and build else "never"
    if "build" in service:
        service["build"] = _build(service["build"], tags, prebuilt, dockerfile)


def bases(services: Mapping[str, Mapping[str, Any]]) -> dict[str, set[str]]:
    """The services whose images a service is built from, by the service; both with new image names."""
    built = {str(each["image"]): name for name, each in services.items() if "build" in each}
    needed: dict[str, set[str]] = {}
    for name, each in services.items():
        if "build" in each:
            words = [
                str((each["build"] or {}).get("dockerfile_inline") or ""),
                *map(str, ((each["build"] or {}).get("args") or {}).values()),
                *map(str, ((each["build"] or {}).get("additional_contexts") or {}).values()),
            ]
            text = "\n".join(words)
            needed[name] = {
                other
                for image, other in built.items()
                if other != name
                and re.search(rf"(?<![\w.-])(?:{re.escape(image)}|service:{re.escape(other)})(?![\w.-])", text)
            }
    return needed


def _build(build: Any, tags: Mapping[str, str], prebuilt: Mapping[str, str], dockerfile: str) -> dict[str, Any]:
    """The build without fixed tags, and with the renamed images."""
    given = {key: value for key, value in dict(build or {}).items() if key != "tags"}
    if arguments := given.get("args"):
        given["args"] = {key: _renamed(value, tags) for key, value in arguments.items()}
    contexts = given.get("additional_contexts") or {}
    if contexts:
        given["additional_contexts"] = {key: _context(str(value), tags, prebuilt) for key, value in contexts.items()}
    rewritten = _dockerfile(dockerfile, tags, contexts)
    if rewritten != dockerfile:
        given.pop("dockerfile", None)
        given["dockerfile_inline"] = rewritten.replace("$", "$$") if "dockerfile_inline" not in given else rewritten
    return given


def _dockerfile(text: str, tags: Mapping[str, str], contexts: Collection[str]) -> str:
    """The *text* with the renamed images; where stages and *contexts* have the name of an image, they are meant."""
    taken = {*_ALIAS.findall(text), *contexts}
    names = {image: tag for image, tag in tags.items() if image not in taken}
    text = _STAGE.sub(lambda found: f"{found[1]}{_renamed(found[2], names)}{found[3]}", text)
    text = _ARG.sub(lambda found: f"{found[1]}{_renamed(found[2], names)}", text)
    text = _MOUNT.sub(lambda found: f"{found[1]}{_renamed(found[2], names)}", text)
    return _COPY.sub(lambda found: f"{found[1]}{_renamed(found[2], names)}", text)


def _context(value: str, tags: Mapping[str, str], prebuilt: Mapping[str, str]) -> str:
    """An additional context with renamed images; "service:NAME" works only for what compose itself builds."""
    scheme, name = "docker-image://", value.removeprefix("service:")
    if name != value and name in prebuilt:
        return scheme + prebuilt[name]
    return scheme + str(_renamed(value.removeprefix(scheme), tags)) if value.startswith(scheme) else value


def _renamed(image: Any, tags: Mapping[str, str]) -> Any:
    """The new name of an image; "name" and "name:latest" are the same image."""
    text = str(image)
    same = (text, text.removesuffix(":latest"), f"{text}:latest")
    return next((tags[name] for name in same if name in tags), image)


def _image(name: str, service: Mapping[str, Any]) -> str:
    return str(service.get("image") or f"{name}:unnamed")
