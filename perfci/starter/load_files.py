"""Finds existing load tests: a Locust file is used as it is, and a k6 script's URLs are read."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from perfci.starter.files import Files
from perfci.starter.guesses import Get
from perfci.starter.openapi import UNSAFE

LOCUST = r"^(?:from locust\b|import locust\b)"
USERS = re.compile(r"^class \w+\([^)]*(?:User|HttpUser|FastHttpUser)\b", re.MULTILINE)
K6 = re.compile(r"from [\"']k6(?:/http)?[\"']")
_GET = re.compile(r"\bhttp\.get\(\s*[\"'`]([^\"'`]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Existing:
    """The repository's existing load: a Locust file, or the requests of a k6 script."""

    locustfile: str = ""
    script: str = ""
    gets: tuple[Get, ...] = ()


def find(files: Files) -> Existing:
    """The Locust file nearest to the root, else the requests of a k6 script."""
    for name in files.matching(r".*\.py", tests=True):
        if re.search(LOCUST, files.text(name), re.MULTILINE) and USERS.search(files.text(name)):
            return Existing(locustfile=name)
    for name in files.matching(r".*\.(js|ts|mjs)", tests=True):
        if K6.search(files.text(name)):
            paths = dict.fromkeys(filter(None, map(_path, _GET.findall(files.text(name)))))
            gets = tuple(Get(path=path, name=path.partition("?")[0], why=f"{name} asks it") for path in paths)
            return Existing(script=name, gets=gets)
    return Existing()


def _path(address: str) -> str:
    """The path of a URL in a script; empty where it contains a variable, or where the request changes data."""
    rest = re.sub(r"^\$\{[^}]*\}", "", address)
    parts = urlsplit(rest)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return path if path.startswith("/") and "${" not in path and not UNSAFE.search(path) else ""
