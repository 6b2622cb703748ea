"""What `perfci init` asks of a service that has an OpenAPI document."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.starter.openapi import gets, parse

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9) | st.just("get"), inner, max_size=3)
    ),
    max_leaves=6,
)


def _document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.1.0", "paths": paths, **more}


def _parameter(place: str, name: str, **more: Any) -> dict[str, Any]:
    return {"in": place, "name": name, "required": place == "path", **more}


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        pytest.param([_parameter("path", "id", example="a b")], "/items/a%20b", id="example"),
        pytest.param([_parameter("path", "id", examples={"one": {"value": 7}})], "/items/7", id="examples"),
        pytest.param([_parameter("path", "id", schema={"example": "x"})], "/items/x", id="of-the-schema"),
        pytest.param([_parameter("path", "id", schema={"enum": ["new", "old"]})], "/items/new", id="choice"),
        pytest.param([_parameter("path", "id", schema={"type": "integer"})], "/items/1", id="type"),
        pytest.param([_parameter("path", "id", type="integer")], "/items/1", id="swagger-2"),
        pytest.param(
            [_parameter("path", "id", schema={"$ref": "#/components/schemas/Id"})], "/items/42", id="reference"
        ),
        pytest.param(
            [_parameter("path", "id", example=1), _parameter("query", "q", example="x"), _parameter("query", "page")],
            "/items/1?q=x",
            id="query",
        ),
    ],
)
def test_example_values(parameters: list[Any], path: str) -> None:
    """A required parameter gets an example, a choice or a value of its type; an optional one its example alone."""
    components = {"schemas": {"Id": {"example": 42}}}
    document = _document({"/items/{id}": {"get": {"parameters": parameters}}}, components=components)
    asked, left = gets(document)
    assert [(get.path, get.name) for get in asked] == [(path, "/items/{id}")]
    assert left == []


@pytest.mark.parametrize(
    ("path", "operation", "why"),
    [
        ("/logout", {}, "acts"),
        ("/panic", {}, "acts"),
        ("/old", {"deprecated": True}, "deprecated"),
        ("/me", {"security": [{"token": []}]}, "login"),
        ("/feed", {"responses": {"200": {"content": {"text/event-stream": {}}}}}, "never ends"),
        (
            "/items/{id}",
            {"parameters": [_parameter("path", "id", schema={"type": "string"})]},
            "no example value for id",
        ),
        ("/items/{id}", {}, "not described"),
        ("/x", {"parameters": [{"in": "header", "name": "X-Key", "required": True}]}, "X-Key"),
    ],
)
def test_what_is_left_out_is_told(path: str, operation: dict[str, Any], why: str) -> None:
    """With the reason, so that somebody can add it by hand."""
    asked, left = gets(_document({path: {"get": operation}}))
    assert asked == []
    assert [each.name for each in left] == [f"GET {path}"]
    assert why in left[0].why


def test_only_gets_are_asked() -> None:
    """Whatever else a path takes may change data."""
    asked, left = gets(_document({"/items": {"post": {}, "delete": {}, "get": {}}}))
    assert [get.path for get in asked] == ["/items"]
    assert left == []


@pytest.mark.parametrize(
    "more", [{"servers": [{"url": "https://shop.test/v1/"}]}, {"basePath": "/v1"}, {"servers": [{"url": "/v1"}]}]
)
def test_the_prefix_of_all_paths(more: dict[str, Any]) -> None:
    """That of the first server, or of Swagger's base path; the host is never asked."""
    asked, _ = gets(_document({"/items": {"get": {}}}, **more))
    assert [get.path for get in asked] == ["/v1/items"]


def test_yaml_and_json_are_read() -> None:
    """And nothing that is no such document."""
    assert parse("openapi: 3.0.0\npaths:\n  /a: {get: {}}\n") is not None
    assert parse('{"swagger": "2.0", "paths": {}}') is not None
    assert [parse(text) for text in ("", "[1]", "a: [", "{}", '{"openapi": 3}', "[" * 5000)] == [None] * 6


@given(st.dictionaries(st.text(min_size=1, max_size=9).map("/{}".format), _JSON, max_size=4), _JSON)
def test_any_document_is_read(paths: dict[str, Any], parameters: Any) -> None:
    """Whatever stands in it: paths begin with a slash, and no brace is left."""
    items = {path: {"get": {"parameters": parameters}} for path in paths}
    document = parse(json.dumps(_document({**paths, **{f"/p{path}": item for path, item in items.items()}})))
    assert document is not None
    asked, _ = gets(document)
    assert all(get.path.startswith("/") and "{" not in get.path for get in asked)
