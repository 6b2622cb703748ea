"""
Names endpoints: requests whose names differ only in an identifier are the same endpoint.

A request that Locust names by its address gets a template beside its name: a number, a UUID, a hash and a date in the
path, and every value of the query string, become placeholders. A name that the locustfile gives itself stays as it is,
but for the project's own patterns. Both are functions of the single request: no order of requests changes them.

The standard library alone: this is imported beside Locust, and by perfci itself.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

ID, DATE, VALUE = "{id}", "{date}", "{value}"
MOST_NAMES = 10_000  # that a process tells apart; a further one is recorded under its template
SHORTEST_HASH, SHORTEST_TOKEN = 7, 16
GRAPHQL = frozenset({"graphql", "gql"})  # last parts of a path
PERSISTED = ("documentId", "doc_id", "queryId", "id")  # what names a persisted query, by server
MOST_OPERATIONS = 3  # of one batch that are named

_WORD = re.compile(
    r"""
    (?P<escaped> %[0-9A-Fa-f]{2} )
  | (?P<date> \d{4}-\d{2}-\d{2}
        (?: T\d{2} (?: (?: : | %3A ) \d{2} (?:\.\d+)? ){0,2} (?: Z | [+-]\d{2}:?\d{2} )? )? (?![0-9A-Za-z]) )
  | (?P<uuid> [0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12} (?![0-9A-Za-z]) )
  | (?P<placeholder> \{ (?: id | date | value ) \} )
  | (?P<word> [0-9A-Za-z]+ )
    """,
    re.VERBOSE,
)
_WHOLE = re.compile(
    r"""
    (?P<email> (?<=/) [^/?;@]+ (?: @ | %40 ) [^/?;@]+ \. [A-Za-z]{2,} (?= [/;] | $ ) )
  | (?<=;) [\w.-]+ = (?P<matrix> [^/;?]+ )
  | (?<![0-9A-Za-z_%~-]) (?P<random> [0-9A-Za-z_-]{10,} ) (?![0-9A-Za-z_%~-])
    """,
    re.VERBOSE,
)
"""Identifiers of several words: an email address, the value of a matrix parameter, letters and digits at random."""

_KINDS = str.maketrans(
    {**dict.fromkeys(ascii_lowercase, "a"), **dict.fromkeys(ascii_uppercase, "A"), **dict.fromkeys(digits, "0")}
)
RANDOM_CHANGES = 0.4

_OPERATION = re.compile(r"^\s*(?:query|mutation|subscription)\s+(\w+)", re.MULTILINE)


class Named(NamedTuple):
    """A request's own name, and the endpoint that it belongs to; both the same where nothing is folded."""

    name: str
    endpoint: str


class Part(NamedTuple):
    """A piece of a name: what stands there, and the placeholder for it; an empty one where the piece is fixed."""

    text: str
    placeholder: str = ""


def endpoint_of(request_type: str, name: str) -> str:
    """The name of an endpoint with its method, which is not repeated where *name* begins with it."""
    return name if name.startswith(f"{request_type} ") else f"{request_type} {name}"


def template(endpoint: str) -> str:
    """*endpoint* with a placeholder for everything that may be an identifier. Of a template, the template itself."""
    return "".join(part.placeholder or part.text for part in _parts(endpoint))


def common(names: Iterable[str]) -> str:
    """The template of *names*, which all share one, with placeholders only where they differ."""
    columns = zip(*(list(_parts(name)) for name in sorted(set(names))), strict=True)
    return "".join(each[0].text if len(set(each)) == 1 else each[0].placeholder for each in columns)


def _parts(endpoint: str) -> Iterator[Part]:
    method, space, address = endpoint.partition(" ")
    address = address.removeprefix(f"{method} ")  # earlier versions wrote it twice
    if not space or not _is_address(address):
        yield Part(endpoint)
        return
    yield Part(f"{method} ")
    path, mark, query = address.partition("?")
    scheme, slashes, rest = path.partition("://")
    place, slash, below = rest.partition("/") if slashes else ("", "", path)
    yield Part(f"{scheme}{slashes}{place}{slash}" if slashes else "")
    yield from _words(below)
    if mark:
        yield Part(mark)
        yield from _query(query)


def _is_address(text: str) -> bool:
    return text.startswith(("/", "?", "http://", "https://"))


def _words(text: str) -> Iterator[Part]:
    """Split *text*, the path of an address, into fixed pieces and what may be an identifier."""
    at = 0
    for found in _WHOLE.finditer(text):
        kind = found.lastgroup or ""
        if kind == "random" and not _is_random(found.group()):
            continue
        yield from _single_words(text[at : found.start(kind)])
        yield Part(found[kind], VALUE if kind == "matrix" else ID)
        at = found.end()
    yield from _single_words(text[at:])


def _is_random(word: str) -> bool:
    """
    Whether capitals, small letters and digits alternate as they do in tokens, in base 62 or for addresses.

    Of two neighbours 62 % are of different kinds at random, and 19 % in "getCustomerPreferences".
    """
    kinds = word.translate(_KINDS)
    pairs = [pair for pair in pairwise(kinds) if not {"-", "_"} & {*pair}]
    changes = sum(first != second for first, second in pairs)
    return {"a", "A", "0"} <= {*kinds} and changes > RANDOM_CHANGES * len(pairs)


def _single_words(text: str) -> Iterator[Part]:
    """Split *text* at dates, UUIDs, hashes, long tokens and numbers, for placeholders; a version like "v2" stays."""
    at = 0
    for found in _WORD.finditer(text):
        yield Part(text[at : found.start()])
        word, at = found.group(), found.end()
        match found.lastgroup:
            case "date":
                yield Part(word, DATE)
            case "uuid":
                yield Part(word, ID)
            case "placeholder":
                yield Part(word, word)
            case "word" if _is_token(word):
                yield Part(word, ID)
            case "word" if not re.fullmatch(r"[vV]\d+", word):
                yield from (Part(piece, ID if piece.isdigit() else "") for piece in re.split(r"(\d+)", word) if piece)
            case _:
                yield Part(word)
    yield Part(text[at:])


def _is_token(word: str) -> bool:
    count = sum(letter.isdigit() for letter in word)
    if not count or count == len(word):
        return False
    is_hash = len(word) >= SHORTEST_HASH and re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", word) is not None
    return is_hash or (len(word) >= SHORTEST_TOKEN and count > 1)


def _query(query: str) -> Iterator[Part]:
    """Split a query string: each value becomes a placeholder; values of one key in a row become a single one."""
    before: str | None = None
    value = ""
    for number, pair in enumerate(query.split("&")):
        key, equals, text = pair.partition("=")
        if equals and key == before:
            value += f"&{pair}"
            continue
        if before is not None:
            yield Part(value, VALUE)
        before, value = (key, text) if equals else (None, "")
        yield Part("&" if number else "")
        yield from _words(key)
        yield Part(equals)
    if before is not None:
        yield Part(value, VALUE)


class Endpoints:
    """Finds the endpoint of each request that Locust's `request` event reports."""

    def __init__(self, home: str = "", patterns: Sequence[Mapping[str, str]] = ()) -> None:
        """*home*: the address of the target. *patterns*: {"match": "GET /a/*", "name": ...}, the first that fits."""
        self._home = home.rstrip("/")
        self._patterns = [(_pattern(each["match"]), each["name"]) for each in patterns]
        self._known: dict[tuple[str, str], Named] = {}

    def known(self, request_type: str, name: str) -> Named | None:
        """The endpoint of a request that was named so before, unless one name stands for several endpoints."""
        return self._known.get((request_type, name))

    def of(self, request_type: str, name: str, *, response: Any = None, url: Any = None) -> Named:
        """The endpoint of a request."""
        key = request_type, name
        if (found := self._known.get(key)) is not None:
            return found
        by_address = _by_address(name, response, url)
        if by_address and self._home and name.startswith(f"{self._home}/"):
            name = name.removeprefix(self._home)
        operation = _operation(name, response) if by_address else None
        named = self._named(endpoint_of(request_type, name), operation=operation, by_address=by_address)
        if operation is None and len(self._known) < MOST_NAMES:
            self._known[key] = named
        return named

    def _named(self, endpoint: str, *, operation: str | None, by_address: bool) -> Named:
        if operation:
            endpoint = f"{endpoint.partition('?')[0]} {operation}"
        for pattern, name in self._patterns:
            if pattern.fullmatch(endpoint):
                return Named(name, name)
        if not by_address or operation:
            return Named(endpoint, endpoint)
        folded = template(endpoint)
        return Named(endpoint if len(self._known) < MOST_NAMES else folded, folded)


def renamed(endpoint: str, patterns: Sequence[Mapping[str, str]]) -> str:
    """What the first of the *patterns* that fits calls the *endpoint*; itself where none does."""
    fitting = (each["name"] for each in patterns if _pattern(each["match"]).fullmatch(endpoint))
    return next(fitting, endpoint)


def _pattern(text: str) -> re.Pattern[str]:
    """A pattern in which "*" matches any text."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _by_address(name: str, response: Any, url: Any) -> bool:
    """Whether Locust took the name from the address, because the locustfile gave none."""
    request = getattr(response, "request", None)
    if getattr(request, "_explicit_name", None) or not isinstance(url, str) or not _is_address(name):
        return False
    return url.partition("#")[0].endswith(name.partition("#")[0])


def _operation(name: str, response: Any) -> str | None:
    """The operations that a request to a GraphQL endpoint names: "" where it names none, None for any other request."""
    path, _, query = name.partition("?")
    if path.rstrip("/").rpartition("/")[2].lower() not in GRAPHQL:
        return None
    sent = _json(getattr(getattr(response, "request", None), "body", None))
    if sent is None:  # GET: the operation is in the address
        sent = dict(parse_qsl(query))
        sent["extensions"] = _json(sent.get("extensions"))
    asked = [each for each in (sent if isinstance(sent, list) else [sent]) if isinstance(each, dict)]
    names = [str(each.get("operationName") or _in_query(each.get("query")) or _persisted(each)) for each in asked]
    more = "…" if len(names) > MOST_OPERATIONS else ""
    return " + ".join(filter(None, names[:MOST_OPERATIONS])) + more


def _json(text: Any) -> Any:
    try:
        return json.loads(text or "")
    except (ValueError, TypeError):
        return None


def _persisted(sent: Mapping[str, Any]) -> str:
    """The beginning of what identifies a persisted query, which is sent without its text; "" where nothing does."""
    extensions = sent.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    keys = (persisted if isinstance(persisted, dict) else {}).get("sha256Hash"), *(sent.get(key) for key in PERSISTED)
    return next((key[:SHORTEST_HASH] for key in keys if isinstance(key, str)), "")


def _in_query(query: object) -> str:
    found = _OPERATION.search(query) if isinstance(query, str) else None
    return found.group(1) if found else ""
