"""Which requests are one endpoint: templates of names, the project's own patterns, operations of GraphQL."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.rig.load.inside.perfci_endpoints import MOST_NAMES, Endpoints, common, endpoint_of, renamed, template

pytestmark = pytest.mark.kind("I")

HOME = "http://127.0.0.1:8000"
UUID = "550e8400-e29b-41d4-a716-446655440000"


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("GET /items/118", "GET /items/{id}"),
        ("GET /items/118/reviews/7", "GET /items/{id}/reviews/{id}"),
        (f"GET /orders/{UUID}/lines", "GET /orders/{id}/lines"),
        ("GET /commits/3f2a9c1", "GET /commits/{id}"),
        ("GET /commits/d41d8cd98f00b204e9800998ecf8427e", "GET /commits/{id}"),
        ("GET /s/01ARZ3NDEKTSV4RRFFQ69G5FAV", "GET /s/{id}"),
        ("GET /watch/dQw4w9WgXcQ", "GET /watch/{id}"),
        ("GET /s/V1StGXR8_Z5jdHi6B-myT/x", "GET /s/{id}/x"),
        ("GET /customers/cus_NffrFeUfNV2Hib", "GET /customers/{id}"),
        ("GET /users/alice@example.org/orders", "GET /users/{id}/orders"),
        ("GET /users/alice%40example.org", "GET /users/{id}"),
        ("GET /items;color=red;page=2/x", "GET /items;color={value};page={value}/x"),
        ("GET /days/2024-02-29", "GET /days/{date}"),
        ("GET /at/2024-02-29T10:30:00.5Z", "GET /at/{date}"),
        ("GET /at/2024-02-29T10%3A30/x", "GET /at/{date}/x"),
        ("GET /static/app.3f2a9c1b.js", "GET /static/app.{id}.js"),
        ("GET /users/u118", "GET /users/u{id}"),
        ("GET /users/user-118", "GET /users/user-{id}"),
        ("GET /items/1,2,3", "GET /items/{id},{id},{id}"),
        ("GET /product?id=118", "GET /product?id={value}"),
        ("GET /search?q=red%20shoes&page=2", "GET /search?q={value}&page={value}"),
        ("GET /search?q=", "GET /search?q={value}"),
        ("GET /items?id=1&id=2&id=3&x=1", "GET /items?id={value}&x={value}"),
        ("GET /items?flag", "GET /items?flag"),
        ("GET /a?items[0]=x", "GET /a?items[{id}]={value}"),
        ("GET http://other:80/items/3", "GET http://other:80/items/{id}"),
    ],
)
def test_each_kind_of_varying_part_becomes_a_placeholder(name: str, folded: str) -> None:
    """Numbers, UUIDs, hashes, tokens, dates, values of a query."""
    assert template(name) == folded
    assert template(folded) == folded


@pytest.mark.parametrize(
    "name",
    [
        *("GET /", "GET /tickets/", "GET /api/v2/tickets", "GET /Basket/decade", "GET /a%20b", "GET /facade/deadbeef"),
        *("GET /getCustomerPreferences", "GET /posts/My-First-Post", "GET /HTTPServer", "GET /@alice"),
        *("GET /tickets/[id]", "rpc GetItem 118", "(all endpoints)", "", "WS 118"),
    ],
)
def test_what_identifies_nothing_stays(name: str) -> None:
    """Words, versions, escapes; and whatever is no address."""
    assert template(name) == name


SEGMENT = st.one_of(
    st.integers(0, 10**9).map(str),
    st.uuids().map(str),
    st.dates().map(str),
    st.sampled_from(
        [
            "items",
            "v2",
            "a%20b",
            "3f2a9c1b",
            "x.7.js",
            "dQw4w9WgXcQ",
            "a@b.org",
            "x;y=7;z",
            "-Q1w2E3r4T5_",
            "{id}",
            "{",
            "118abc",
        ]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="?#/ "), max_size=6),
)
ADDRESS = st.builds(
    lambda segments, pairs: "GET /" + "/".join(segments) + ("?" if pairs else "") + "&".join(map("=".join, pairs)),
    st.lists(SEGMENT, max_size=4),
    st.lists(st.tuples(st.sampled_from(["id", "q", "x[0]"]), st.text("ab1&=", max_size=3)), max_size=3),
)


@given(ADDRESS)
def test_a_template_is_its_own_template(name: str) -> None:
    """Folding twice is folding once."""
    assert template(template(name)) == template(name)
    assert common([name]) in {name, template(name)}


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_a_placeholder_stands_where_names_differ(shops: list[int], items: list[int]) -> None:
    """And nowhere else; in no order of requests another one."""
    names = [f"GET /shops/{shop}/items?id={item}" for shop, item in zip(shops, items, strict=False)]
    pairs = list(zip(shops, items, strict=False))
    shop = "{id}" if len({shop_id for shop_id, _ in pairs}) > 1 else str(pairs[0][0])
    item = "{value}" if len({item_id for _, item_id in pairs}) > 1 else str(pairs[0][1])
    assert common(names) == common(reversed(names)) == f"GET /shops/{shop}/items?id={item}"
    assert {template(common(names))} == {template(name) for name in names}


@given(st.lists(st.sampled_from(["/a/1", "/a/2", "/b/x", "/q?id=7", "/q?id=8"]), max_size=12))
def test_the_order_of_requests_changes_no_template(paths: list[str]) -> None:
    """What one request is called depends on that request alone."""

    def called(asked: list[str]) -> set[tuple[str, str]]:
        endpoints = Endpoints(HOME)
        return {endpoints.of("GET", path, url=HOME + path) for path in asked}

    assert called(paths) == called(paths[::-1]) == called(sorted(paths))


def test_names_without_end_are_bounded() -> None:
    """Beyond so many, a request is known by its template alone: the memory of a long load has an end."""
    endpoints = Endpoints(HOME)
    named = [endpoints.of("GET", f"/i/{number}", url=f"{HOME}/i/{number}") for number in range(MOST_NAMES + 2)]
    assert {request.endpoint for request in named} == {"GET /i/{id}"}
    assert [request.name for request in named[-3:]] == [f"GET /i/{MOST_NAMES - 1}", "GET /i/{id}", "GET /i/{id}"]


def _of(name: str, url: str | None, *, request: Any = None, patterns: Any = (), method: str = "GET") -> tuple[str, str]:
    endpoints = Endpoints(HOME, patterns)
    return endpoints.of(method, name, response=SimpleNamespace(request=request), url=url)


def test_a_name_of_the_locustfiles_own_is_left_alone() -> None:
    """Also one with a number in it; it is told from an address by the request, or by the address that was asked."""
    assert _of("/top/10", f"{HOME}/items/3") == ("GET /top/10", "GET /top/10")
    own = SimpleNamespace(_explicit_name="/items/3")
    assert _of("/items/3", f"{HOME}/items/3", request=own).count("GET /items/3") == 2
    assert _of("/items/3", f"{HOME}/items/3") == ("GET /items/3", "GET /items/{id}")
    assert _of("/items/3", None).count("GET /items/3") == 2  # the client of another protocol


def test_a_name_that_begins_with_its_method_is_not_given_it_twice() -> None:
    """ "GET GET /x" was no name that anybody had chosen."""
    assert endpoint_of("GET", "GET /x") == "GET /x"
    assert endpoint_of("GET", "GETTING /x") == "GET GETTING /x"
    assert _of("GET /x", f"{HOME}/x/1").count("GET /x") == 2
    assert template("GET GET /x/1") == "GET /x/{id}"  # as it is in older files


def test_the_address_of_a_side_is_no_part_of_a_name() -> None:
    """A file that asks for `self.host + "/x"` would have other endpoints on each side: their ports differ."""
    assert _of(f"{HOME}/x/1", f"{HOME}/x/1") == ("GET /x/1", "GET /x/{id}")


@pytest.mark.parametrize(
    ("sent", "called"),
    [
        ({"operationName": "Cart", "query": "query Other { a }"}, "POST /graphql Cart"),
        ({"query": "# a comment\nmutation Buy($id: ID!) { a }"}, "POST /graphql Buy"),
        ({"query": "{ a }"}, "POST /graphql"),
        ([{"operationName": "A"}, {"operationName": "B"}], "POST /graphql A + B"),
        ([{"operationName": name} for name in "ABCD"], "POST /graphql A + B + C…"),
        ("no JSON", "POST /graphql"),
        ({"query": 7}, "POST /graphql"),
        (None, "POST /graphql"),
        ({"extensions": {"persistedQuery": {"sha256Hash": "ecf4edb46db40b51"}}}, "POST /graphql ecf4edb"),
        ({"documentId": "cart/1"}, "POST /graphql cart/1"),
        ({"extensions": {"persistedQuery": 7}, "id": 7}, "POST /graphql"),
    ],
)
def test_operations_of_graphql_are_endpoints(sent: Any, called: str) -> None:
    """They share one address, and are told apart by the name of the operation."""
    body = sent if isinstance(sent, str) or sent is None else json.dumps(sent).encode()
    named = _of("/graphql", f"{HOME}/graphql", request=SimpleNamespace(body=body), method="POST")
    assert named == (called, called)


@pytest.mark.parametrize(
    ("query", "called"),
    [
        ("operationName=Cart&variables=%7B%22id%22%3A118%7D", "GET /graphql Cart"),
        ("query=query%20Shop%20%7Ba%7D&variables=1", "GET /graphql Shop"),
        ("extensions=%7B%22persistedQuery%22%3A%7B%22sha256Hash%22%3A%22ecf4edb46d%22%7D%7D", "GET /graphql ecf4edb"),
        ("query=%7Ba%7D", "GET /graphql?query={value}"),
    ],
)
def test_an_operation_of_graphql_may_be_in_the_address(query: str, called: str) -> None:
    """So that caches can keep the answer; its variables identify nothing that is measured."""
    name = f"/graphql?{query}"
    assert _of(name, f"{HOME}{name}", request=SimpleNamespace(body=None))[1] == called


def test_each_request_to_graphql_is_looked_at() -> None:
    """The name of the first does not stick to the address."""
    endpoints = Endpoints(HOME)
    for operation in ("A", "B", "A"):
        request = SimpleNamespace(body=json.dumps({"operationName": operation}))
        named = endpoints.of("POST", "/api/gql", response=SimpleNamespace(request=request), url=f"{HOME}/api/gql")
        assert named.endpoint == f"POST /api/gql {operation}"


def test_the_projects_patterns_come_first() -> None:
    """The first that fits; also where the locustfile has given the name."""
    patterns = [{"match": "GET /shop/*/basket", "name": "GET basket"}, {"match": "* /shop/*", "name": "shop"}]
    assert _of("/shop/7/basket", f"{HOME}/shop/7/basket", patterns=patterns) == ("GET basket", "GET basket")
    assert _of("/shop/7", None, patterns=patterns, method="PUT") == ("shop", "shop")
    assert _of("/other/7", f"{HOME}/other/7", patterns=patterns)[1] == "GET /other/{id}"
    assert renamed("GET /shop/1/basket", patterns) == "GET basket"
    assert renamed("GET /x", patterns) == "GET /x"
    assert renamed("GET /a.c", [{"match": "GET /a?c", "name": "no"}, {"match": "GET /a.c", "name": "yes"}]) == "yes"
