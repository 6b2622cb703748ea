"""Reads an OpenAPI or Swagger document: every safe GET, with the example values of its parameters."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import yaml

from perfci.starter.compose_file import LOADER
from perfci.starter.files import Files
from perfci.starter.guesses import Get, LeftOut

NAMES = r"(openapi|swagger|api-docs)([.-][\w.-]+)?\.(json|ya?ml)|api\.(ya?ml)"

UNSAFE = re.compile(
    r"(^|[/_.-])(log-?out|sign-?out|delete|remove|destroy|reset|shutdown|restart|panic|crash|exit|kill|purge|flush|"
    r"unsubscribe|delay|sleep|stream|events|sse|ws|websocket|download|export|callback|drop|truncate)([/_.-]|$)",
    re.IGNORECASE,
)
"""Paths that may act, wait or never end although they are GETs."""

_TYPES: Mapping[str, object] = {"integer": 1, "number": 1, "boolean": "true"}


def find(files: Files) -> tuple[str, Mapping[str, Any]] | None:
    """The document nearest to the root, with its name."""
    for name in files.matching(NAMES, tests=True):
        document = parse(files.text(name))
        if document is not None:
            return name, document
    return None


def parse(text: str) -> Mapping[str, Any] | None:
    """The document in *text*, JSON or YAML; None where it is not one."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        try:
            document = yaml.load(text, Loader=LOADER)  # noqa: S506  # a safe one
        except (yaml.YAMLError, RecursionError, ValueError):
            return None
    if not isinstance(document, dict) or not {"openapi", "swagger"} & set(document):
        return None
    return document if isinstance(document.get("paths"), dict) else None


def gets(document: Mapping[str, Any]) -> tuple[list[Get], list[LeftOut]]:
    """Every GET that the document describes completely, and the others with the reason."""
    asked: list[Get] = []
    left: list[LeftOut] = []
    prefix = _prefix(document)
    for path, item in document["paths"].items():
        operation = _table(item).get("get")
        if not isinstance(operation, dict) or not str(path).startswith("/"):
            continue
        name = prefix + str(path)
        parameters = [*_parameters(document, _table(item)), *_parameters(document, operation)]
        if why := _reason(document, operation, name):
            left.append(LeftOut(name=f"GET {name}", why=why))
            continue
        values, missing = _values(document, parameters)
        if missing:
            left.append(LeftOut(name=f"GET {name}", why=f"no example value for {', '.join(missing)}"))
            continue
        query = urlencode([(key, value) for (place, key), value in values.items() if place == "query"])
        filled = name
        for (place, key), value in values.items():
            if place == "path":
                filled = filled.replace(f"{{{key}}}", quote(str(value), safe=""))
        if "{" in filled:
            left.append(LeftOut(name=f"GET {name}", why="a part of its path is not described"))
            continue
        asked.append(Get(path=filled + (f"?{query}" if query else ""), name=name, why="in the OpenAPI document"))
    return asked, left


def _prefix(document: Mapping[str, Any]) -> str:
    """The common prefix of all paths: `basePath`, or the path of the first server."""
    servers = document.get("servers")
    first = _table(servers[0]).get("url", "") if isinstance(servers, list) and servers else ""
    text = str(document.get("basePath") or (urlsplit(str(first)).path if "{" not in str(first) else ""))
    return "/" + text.strip("/") if text.strip("/") else ""


def _reason(document: Mapping[str, Any], operation: Mapping[str, Any], name: str) -> str:
    """Why an operation is left out; empty where it is not."""
    if UNSAFE.search(name):
        return "its name says that it acts, waits or never ends"
    if operation.get("deprecated"):
        return "it is deprecated"
    security = operation.get("security", document.get("security"))
    if security and {} not in security:
        return "it needs a login"
    if "text/event-stream" in json.dumps(operation.get("responses", {}), default=str):
        return "its answer never ends"
    return ""


def _parameters(document: Mapping[str, Any], holder: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = holder.get("parameters")
    for entry in listed if isinstance(listed, list) else []:
        yield _resolved(document, _table(entry))


def _values(
    document: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]
) -> tuple[dict[tuple[str, str], object], list[str]]:
    """The value of each parameter, by place and name, and the required parameters without a value."""
    values: dict[tuple[str, str], object] = {}
    missing = []
    for parameter in parameters:
        place, name = str(parameter.get("in", "")), str(parameter.get("name", ""))
        required = place == "path" or bool(parameter.get("required"))
        value = _example(document, parameter, required=required)
        if value is not None and place in {"path", "query"}:
            values[place, name] = value
        elif required and value is None:
            missing.append(name)
        elif required and place == "header":
            missing.append(f"header {name}")
    return values, missing


def _example(document: Mapping[str, Any], parameter: Mapping[str, Any], *, required: bool) -> object:
    """The example of a parameter; for a required one also its default, its first choice, or a value of its type."""
    schema = _resolved(document, _table(parameter.get("schema") or parameter))
    examples = [_table(each).get("value") for each in _table(parameter.get("examples")).values()]
    listed = schema.get("examples")
    examples += [parameter.get("example"), parameter.get("x-example"), schema.get("example")]
    examples += listed[:1] if isinstance(listed, list) else []
    if required:
        choices = schema.get("enum")
        examples += [schema.get("default"), choices[0] if isinstance(choices, list) and choices else None]
        examples += [schema.get("minimum") or _TYPES.get(str(schema.get("type")))]
    value = next((each for each in examples if isinstance(each, str | int | float)), None)
    return str(value).lower() if isinstance(value, bool) else value


def _resolved(document: Mapping[str, Any], entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The *entry*, with a `$ref` within the document followed one step."""
    reference = entry.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return entry
    found: object = document
    for part in reference[2:].split("/"):
        found = _table(found).get(re.sub("~[01]", lambda each: "~/"[int(each[0][1])], part))
    return _table(found)


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
