"""Seeds through the target's own test-data endpoint: one request creates everything, another one removes it."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any, Literal

import requests
from pydantic import Field

from perfci.errors import DataThereError, SeedError
from perfci.rig.host.hosts import below
from perfci.rig.seed.seeded import Place, Recipe, Seeded

Method = Literal["POST", "PUT", "PATCH", "GET", "DELETE"]

_CLEAR_FIRST = "seed with --clear-first, which removes the old data before it makes the new"


class Options(Recipe):
    """`[seed]` with `kind = "http"`. In *body*, "{rng_seed}", "{counts}" and "{counts.NAME}" are filled in."""

    kind: Literal["http"] = "http"
    method: Method = "POST"
    path: str = Field(pattern="^/")
    body: dict[str, Any] = {"rng_seed": "{rng_seed}", "counts": "{counts}"}
    clean_method: Method = "DELETE"
    clean_path: str = Field(default="", pattern="^(/.*)?$")  # the same as path, unless given
    created_field: str = "created"
    digest_field: str = "digest"
    digest_path: str = Field(default="", pattern="^(/.*)?$")  # where a GET tells the digest of what is there

    @property
    def tells_digest(self) -> bool:
        """Whether the target says which data it holds."""
        return bool(self.digest_path)


@contextlib.contextmanager
def seeding(options: Options, target_url: str, *, clear_first: bool, place: Place) -> Iterator[Callable[[], Seeded]]:
    """
    Start to create the data; with *clear_first*, remove existing data first.

    In a thread that nobody waits for after an interruption: the request ends with the target, or with perfci.
    """
    options.check_allowed(target_url, place)
    if clear_first:
        clean(options, target_url, place=place)
    made: Future[Seeded] = Future()
    Thread(target=_settle, args=(made, partial(_made, options, target_url, place)), daemon=True).start()
    yield made.result


def _settle(made: Future[Seeded], work: Callable[[], Seeded]) -> None:
    try:
        made.set_result(work())
    except Exception as error:  # noqa: BLE001 - whatever it is, the one who waits gets it
        made.set_exception(error)


def _made(options: Options, target_url: str, place: Place) -> Seeded:
    answer = _send(options, options.method, below(target_url, options.path), _fill(options.body, options), place)
    if answer.status_code == 409:
        raise DataThereError(f"the target holds test data already{_said(answer)}", hint=_CLEAR_FIRST)
    if not answer.ok or answer.is_redirect:
        raise SeedError(
            f"the target refused to be seeded: {_asked(answer)} answered {answer.status_code}{_said(answer)}",
            hint=f"some of the data may be there now: {_CLEAR_FIRST}",
        )
    content = _json(answer)
    return options.seeded(content.get(options.created_field), content.get(options.digest_field))


def clean(options: Options, target_url: str, *, place: Place) -> bool:
    """Remove the data; it is no error where there is none."""
    options.check_allowed(target_url, place)
    answer = _send(options, options.clean_method, below(target_url, options.clean_path or options.path), None, place)
    if answer.status_code != 404 and (not answer.ok or answer.is_redirect):
        raise SeedError(
            f"the test data could not be removed: {_asked(answer)} answered {answer.status_code}{_said(answer)}",
            hint="start the target afresh; check clean_method and clean_path in [seed]",
        )
    return True


def digest(options: Options, target_url: str, *, place: Place) -> str:
    """Ask the target for the digest of the data that it holds; "" where it does not tell one."""
    options.check_allowed(target_url, place)
    answer = _send(options, "GET", below(target_url, options.digest_path), None, place)
    return str(_json(answer).get(options.digest_field) or "") if answer.ok else ""


def _send(options: Options, method: str, url: str, body: Any, place: Place) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False  # no proxy, and no password from ~/.netrc
        session.verify = place.verify
        try:
            return session.request(method, url, json=body, timeout=options.timeout_s, allow_redirects=False)
        except requests.Timeout:
            raise SeedError(
                f"no answer to {method} {url} within {options.timeout_s:g} s",
                hint=f"raise timeout_s in [seed], or make less; {_CLEAR_FIRST}",
            ) from None
        except requests.RequestException as error:
            raise SeedError(
                f"{method} {url} failed: the target closed the connection or refused it ({type(error).__name__})",
                hint="look into the target's log",
            ) from None


def _fill(value: Any, options: Options) -> Any:
    if isinstance(value, dict):
        return {name: _fill(inner, options) for name, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, options) for inner in value]
    known: dict[object, object] = {"{rng_seed}": options.rng_seed, "{counts}": options.counts}
    known |= {f"{{counts.{name}}}": count for name, count in options.counts.items()}
    return known.get(value, value) if isinstance(value, str) else value


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _asked(answer: requests.Response) -> str:
    return f"{answer.request.method} {answer.request.url}"


def _said(answer: requests.Response) -> str:
    text = " ".join(answer.text[:300].split())
    return f": {text}" if text else ""
