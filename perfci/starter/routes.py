"""Finds GET routes that source code declares; the running service decides whether they exist."""

import re
from collections.abc import Iterator

from perfci.starter.files import Files
from perfci.starter.openapi import UNSAFE

SOURCES = r".*\.(py|js|ts|mjs|cjs|go|rb)"

DECLARATIONS = (
    r"@\w+(?:\.\w+)*\.(?:get|route)\(\s*[rf]?[\"']([^\"'\s]*)[\"'](?![^)]*methods=\[(?![^\]]*GET))",  # FastAPI, Flask
    r"\b(?:app|api|server|r|e|mux|g|\w*[Rr]outer)\.(?:get|GET|Get|HandleFunc|Handle)\(\s*[\"'`](?:GET )?([^\"'`\s]+)",
    r"\bHandleFunc\(\s*\w+\.\w+\(\"([^\"]+)\"\)[^\n]*GET",  # a prefix around the path
    r"\bhttp\.HandleFunc\(\s*\"(?:GET )?([^\"\s]+)\"",  # net/http
    r"^\s*get\s+[\"']([^\"']+)[\"']",  # Rails
    r"\bpath\(\s*[\"']([^\"']*)[\"']\s*,(?!\s*include)",  # Django
)

HEALTH = re.compile(
    r"(^|/)(healthz?|health[-_]?check|livez?|liveness|readyz?|readiness|ping|status|up|_health)/?$", re.IGNORECASE
)
NAMED = re.compile(r"\{(\w+)(?::\w+)?\}|<(?:\w+:)?(\w+)>|(?<=/):(\w+)")
"""A parameter that is a whole part of a path, as FastAPI, Flask, Go, Express and Rails write it."""

PARAMETER = re.compile(r"\{[^}]*\}|<[^>]*>|/:\w+|\(\?P|\*|\$\{")
MOST = 60


def declared(files: Files) -> list[str]:
    """Declared paths without parameters, in the order of the files, without unsafe ones."""
    found = [path for path in _paths(files) if not PARAMETER.search(path) and not UNSAFE.search(path)]
    return list(dict.fromkeys(found))[:MOST]


def parametrised(files: Files) -> list[str]:
    """Declared paths with parameters, each in braces, in the order of the files, without unsafe ones."""
    named = (NAMED.sub(lambda found: f"{{{found[1] or found[2] or found[3]}}}", path) for path in _paths(files))
    found = [path for path in named if re.fullmatch(r"(?:/(?:[\w.~-]*|\{\w+\}))+", path) and "{" in path]
    return [path for path in dict.fromkeys(found) if not UNSAFE.search(path)][:MOST]


def health(files: Files) -> str:
    """The declared path of a health check: the shortest of several, or empty."""
    return min((path for path in declared(files) if HEALTH.search(path)), key=len, default="")


def _paths(files: Files) -> Iterator[str]:
    patterns = [re.compile(pattern, re.MULTILINE) for pattern in DECLARATIONS]
    for name in files.matching(SOURCES):
        text = files.text(name)
        for pattern in patterns:
            for found in pattern.finditer(text):
                path = found[1]
                if re.fullmatch(r"[\w./~-]*", NAMED.sub("", path)):
                    yield "/" + path.removeprefix("/")
