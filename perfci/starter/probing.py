"""Probes the started service: from its answers follow the readiness check and the requests of the load."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from perfci.starter import openapi
from perfci.starter.guesses import Get, Guess, LeftOut, Start
from perfci.starter.looking import Look
from perfci.starter.names import template
from perfci.starter.routes import HEALTH

HEALTH_PATHS = ("/health", "/healthz", "/readyz", "/ready", "/api/health", "/up", "/ping", "/status", "/_health")
DOCUMENTS = (
    *("/openapi.json", "/swagger.json", "/api/openapi.json", "/v3/api-docs", "/swagger/doc.json", "/api-docs"),
    *("/swagger/v1/swagger.json", "/api/schema/", "/openapi.yaml", "/api-docs.json", "/spec.json"),
)
MOST_FOUND = 15
"""Largest number of endpoints from links and declarations; an OpenAPI document is used whole."""

VALUE = "1"
"""For each parameter of a declared path: of all identifiers the likeliest one."""

SLOW_S = 0.5


class Answer(Protocol):
    """A response of the service (`perfci.rig.discovery`)."""

    @property
    def path(self) -> str: ...
    @property
    def status(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def text(self) -> str: ...
    @property
    def location(self) -> str: ...
    @property
    def good(self) -> bool: ...


class Service(Protocol):
    """The running service."""

    def get(self, path: str) -> Answer | None:
        """The response to a GET; None when the time is over."""

    def first(self, paths: Iterable[str]) -> Answer | None:
        """The first of *paths* with a successful response."""

    @property
    def answers(self) -> Mapping[str, Answer]:
        """The responses so far, by path."""

    def crawl(
        self, paths: Iterable[str], *, allowed: Callable[[str], bool], template: Callable[[str], str], most: int
    ) -> Iterator[Answer]:
        """Successful responses to *paths* and to the links in them, one for each *template*."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The readiness and the load that were found."""

    ready: Mapping[str, object]
    gets: tuple[Get, ...]
    left: tuple[LeftOut, ...] = ()
    guesses: tuple[Guess, ...] = ()
    todo: tuple[str, ...] = ()
    why: str = ""  # these requests


def probe(service: Service, start: Start, seen: Look) -> Probed:
    """Probe the running service; an endpoint without a successful response is left out."""
    known = [path for path in (start.health, seen.health) if path]
    healthy = service.first([*known, *HEALTH_PATHS, "/"])
    ready: dict[str, object] = {"path": healthy.path} if healthy else {"tcp": True}
    why = f"it answers with {healthy.status}" if healthy else "no known path of a health check answers well"
    guesses = (Guess("ready", healthy.path if healthy else "the open port", why),)
    gets, left, source = _documented(service, seen)
    if not gets:
        gets, source = [get for get in seen.existing.gets if _good(service, get, left)], f"from {seen.existing.script}"
    if not gets:
        found = service.crawl(["/", *seen.declared], allowed=_allowed, template=template, most=MOST_FOUND)
        gets = [Get(path=each.path, name=template(each.path), why="the service answers it") for each in found]
        gets += _with_a_value(service, seen, {get.name for get in gets}, left)
        source = "found by asking the service: what its code declares, and what its pages link to"
    if not gets and healthy:
        gets, source = [Get(path=healthy.path, name=healthy.path, why="health")], "nothing but the health check answers"
        left += _refused(service)
    if not healthy and gets:
        ready, guesses = {"path": gets[0].path}, (Guess("ready", gets[0].path, "it answers with a success"),)
    if not gets:
        source = "nothing that was asked answers with a success"
    todo = ("put what your users do into the Locust file: its tasks only read",) if gets else (_NO_PATHS,)
    return Probed(ready=ready, gets=tuple(gets or [_ROOT]), left=tuple(left), guesses=guesses, todo=todo, why=source)


_ROOT = Get(path="/", name="/", why="nothing else is known")
_NO_PATHS = "no GET was found that answers with a success: write the tasks of the Locust file"


def not_probed(start: Start, seen: Look, reason: str) -> Probed:
    """What the files alone suggest, with the *reason* why the service was not probed."""
    path = start.health or seen.health
    gets, left = openapi.gets(seen.document) if seen.document is not None else ([], [])
    why = f"every safe GET of {seen.document_name}"
    if not gets and seen.existing.gets:
        gets, why = list(seen.existing.gets), f"from {seen.existing.script}"
    if not gets:
        paths = [each for each in seen.declared if _allowed(each)][:MOST_FOUND]
        gets = [Get(path=each, name=each, why="declared in the code") for each in paths]
        why = "what the code declares"
    return Probed(
        ready={"path": path} if path else {"tcp": True},
        gets=tuple(gets or [_ROOT]),
        left=tuple(left),
        guesses=(
            Guess("ready", path or "the open port", "the repository names it" if path else "nothing names a path"),
        ),
        todo=(f"the service was not asked, so that nothing of this is confirmed: {reason}",),
        why=why if gets else "nothing names a path",
    )


def _documented(service: Service, seen: Look) -> tuple[list[Get], list[LeftOut], str]:
    """
    The GETs that the service answers with success, from the document that it publishes, else from the repository's.
    """
    published = service.first(DOCUMENTS)
    document = openapi.parse(published.text) if published else None
    where = published.path if published and document is not None else seen.document_name
    document = document if document is not None else seen.document
    if document is None:
        return [], [], ""
    gets, left = openapi.gets(document)
    return [get for get in gets if _good(service, get, left)], left, f"every safe GET of {where} that answers well"


def _with_a_value(service: Service, seen: Look, known: set[str], left: list[LeftOut]) -> list[Get]:
    """The declared paths with parameters that the service answers where each parameter is 1; the others are *left*."""
    found: list[Get] = []
    names = {re.sub(r"\{\w+\}", "{id}", name) for name in known}
    for name in seen.parametrised:
        get = Get(path=re.sub(r"\{\w+\}", VALUE, name), name=name, why="declared in the code")
        if re.sub(r"\{\w+\}", "{id}", name) in names or not _allowed(name):
            continue
        missing: list[LeftOut] = []
        if len(found) < MOST_FOUND and _good(service, get, missing):
            found.append(get)
        left += [LeftOut(name=each.name, why=f"with {VALUE} for its parameter {each.why}") for each in missing]
    return found


def _good(service: Service, get: Get, left: list[LeftOut]) -> bool:
    """Whether *get* succeeds; else it is added to what is *left* out."""
    answer = service.get(get.path)
    if answer is None:
        reason = "there was no time to ask it"
    elif not answer.good:
        needs = "; it may need a login" if answer.status in {401, 403} else ""
        reason = f"it answers with {answer.status}{needs}" if answer.status else "it does not answer"
    elif answer.seconds > SLOW_S:
        reason = f"its answer takes {answer.seconds:.1f} s"
    else:
        return True
    left.append(LeftOut(name=f"GET {get.name}", why=reason))
    return False


def _refused(service: Service) -> list[LeftOut]:
    """The probed endpoints that need a login, as far as their responses show."""
    found = []
    for answer in service.answers.values():
        if answer.status in {401, 403} or re.search(r"log-?in|sign-?in|/auth", answer.location, re.IGNORECASE):
            how = (
                f"it leads to {answer.location.partition('?')[0]}" if answer.location else f"it answers {answer.status}"
            )
            found.append(LeftOut(name=f"GET {template(answer.path)}", why=f"{how}: it may need a login"))
    return found


def _allowed(path: str) -> bool:
    return not openapi.UNSAFE.search(path) and not HEALTH.search(path) and path not in DOCUMENTS
