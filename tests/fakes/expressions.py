"""The part of GitHub's expressions that perfci's actions use: properties, texts, operators, functions."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(&&|\|\||==|!=|[!().,])|'((?:[^']|'')*)'|([\w-]+))")
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)

Functions = Mapping[str, Callable[..., Any]]
FUNCTIONS: Functions = {"toJSON": lambda value: json.dumps(value, indent=2), "fromJSON": json.loads}


def filled(text: str, context: Mapping[str, Any], functions: Functions = FUNCTIONS) -> str:
    """*text* with the value of each `${{ expression }}` in its place."""
    return _EXPRESSION.sub(lambda found: shown(evaluate(found[1], context, functions)), text)


def evaluate(expression: str, context: Mapping[str, Any], functions: Functions = FUNCTIONS) -> Any:
    """The value of *expression*, with or without `${{ }}`; what nobody has is None, as an empty text is shown."""
    bare = expression.strip().removeprefix("${{").removesuffix("}}")
    tokens = _tokens(bare)
    value = _Parser(tokens, context, {**FUNCTIONS, **functions}).any_of()
    if tokens:
        raise ValueError(f"{expression!r}: what is {tokens[0]}?")
    return value


def shown(value: Any) -> str:
    """A value as a text has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{text!r} is no expression from {text[at:]!r} on")
        kinds = zip(("operator", "text", "name"), token.groups(), strict=True)
        found.append(next((kind, value) for kind, value in kinds if value is not None))
        at = token.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], context: Mapping[str, Any], functions: Functions) -> None:
        self._tokens = tokens
        self._context = context
        self._functions = functions

    def any_of(self) -> Any:
        value = self._all_of()
        while self._take("||"):
            other = self._all_of()
            value = value or other
        return value

    def _all_of(self) -> Any:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._single()
        for operator, equal in (("==", True), ("!=", False)):
            if self._take(operator):
                return (shown(value) == shown(self._single())) is equal
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            value = self.any_of()
            self._need(")")
        else:
            kind, word = self._tokens.pop(0)
            if kind == "text":
                return word.replace("''", "'")
            value = self._call(word) if self._take("(") else self._context.get(word)
        while self._take("."):
            _, name = self._tokens.pop(0)
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _call(self, name: str) -> Any:
        given = []
        while not self._take(")"):
            given.append(self.any_of())
            self._take(",")
        return self._functions[name](*given)

    def _take(self, operator: str) -> bool:
        if self._tokens and self._tokens[0] == ("operator", operator):
            self._tokens.pop(0)
            return True
        return False

    def _need(self, operator: str) -> None:
        if not self._take(operator):
            raise ValueError(f"{operator} is missing")
