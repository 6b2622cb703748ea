"""
JSON documents that newer versions of perfci must still read: each has a schema number and its writer's version.

A field is added, never renamed. What cannot be done in that way gets the next schema number, and a function that turns
a document of the number before into one of it; so a file of any earlier number stays readable.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Generic, NoReturn, TypeVar, dataclass_transform

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import CoreSchema

from perfci import __version__
from perfci.errors import ResultError
from perfci.schema import describe
from perfci.schema.unicode import json_text

T = TypeVar("T")
Member = TypeVar("Member", bound=StrEnum)
Word = TypeVar("Word", bound=str)
Document = TypeVar("Document")
Fields = dict[str, Any]
"""The content of a document as JSON has it, without its head: the schema number and the version of the writer."""

Migration = Callable[[Fields], Fields]
"""From the fields of a document of one schema number, not yet validated, to those of the next number."""

DAMAGED = "the file is damaged or truncated: measure again, or restore it"

WRITER = "perfci"
"""The key of the version of the perfci that wrote a document; files from before there was one lack it."""


def parse_json(data: bytes) -> Any:
    """
    The content of *data*; ValueError where a key is there twice, of which one would be lost, or a number is no number.

    What is beyond all numbers (1e999) becomes infinite here, and is refused with its place by the type of the document.
    """
    return json.loads(json_text(data), parse_constant=_no_number, object_pairs_hook=_unique)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no measured number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"{twice[:60]!r} is there twice")
    return found


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def stored(kind: type[T]) -> type[T]:
    """
    Make *kind* a part of a stored document: a frozen dataclass that pydantic reads, with no other keys than its fields.

    A dataclass, not a model of pydantic's: written as it is, without a check that could fail, and quicker to read.
    """
    kind.__pydantic_config__ = ConfigDict(extra="forbid", allow_inf_nan=False)  # type: ignore[attr-defined]
    return dataclass(frozen=True, slots=True, kw_only=True)(kind)


class Vocabulary(Generic[Member, Word]):
    """The words that a format uses for the members of an enumeration, whatever the model calls them."""

    def __init__(self, words: Mapping[Member, Word]) -> None:
        """Each member of the enumeration has a word of its own, else ValueError."""
        self._words = words
        self._members = {word: member for member, word in words.items()}
        kind = type(next(iter(words)))
        if len(self._members) < len(kind):
            raise ValueError(f"each {kind.__name__} needs a word of its own, not only {', '.join(words)}")

    def word(self, member: Member) -> Word:
        """The word for *member*."""
        return self._words[member]

    def member(self, word: Word) -> Member:
        """The member that *word* stands for."""
        return self._members[word]


class Format(Generic[Document]):
    """One kind of file that perfci writes: the type of its content, and how earlier schema numbers lead to it."""

    def __init__(
        self,
        name: str,
        document: type[Document],
        *,
        schema: int,
        migrations: Mapping[int, Migration] = MappingProxyType({}),
        key: str = "schema",
        validate: Callable[[Fields], Document] | None = None,
        explain: Callable[..., str] = describe,
    ) -> None:
        """
        A format that is called *name* in messages and written with the number *schema*, under *key*.

        *migrations* has the function for each earlier number. *validate* and *explain* are for readers that are
        stricter, or that must not repeat what they have read.
        """
        self._name = name
        self._type = TypeAdapter(document)
        self.schema = schema
        self.migrations = migrations
        self._key = key
        self._validate = validate or self._type.validate_python
        self._explain = explain

    def head(self) -> Fields:
        """The fields that every document of this format begins with."""
        return {self._key: self.schema, WRITER: __version__}

    def fields(self, document: Document) -> Fields:
        """*document* as JSON has it, with its head."""
        return {**self.head(), **self._type.dump_python(document, mode="json", warnings=False)}

    def read(self, content: object, *, where: str) -> Document:
        """
        The document in *content*, parsed JSON that anybody may have written; *where* names the file.

        ResultError says why it cannot be used, and, where a newer perfci wrote it, that it was one.
        """
        if not isinstance(content, dict) or self._key not in content:
            raise ResultError(f"{where} is JSON, but not a {self._name} of perfci's: it has no schema number")
        fields = {name: value for name, value in content.items() if name not in {self._key, WRITER}}
        number, writer = content[self._key], content.get(WRITER, "")
        if not isinstance(writer, str):
            raise ResultError(f"{where}: {WRITER} has to be the version of the perfci that wrote it", hint=DAMAGED)
        if type(number) is not int or number not in {*self.migrations, self.schema}:
            reason = f"{where} has schema {_short(number)}, this perfci reads {self._readable()}"
            raise _refusal(reason, writer, where=where, hint="use the perfci that wrote it, or record anew")
        try:
            return self._validate(self._migrated(fields, number, where=where))
        except ValidationError as problems:
            raise _refusal(self._explain(problems, where=where), writer, where=where, hint=DAMAGED) from None

    def json_schema(self) -> Fields:
        """The JSON Schema (draft 2020-12) of a whole document."""
        content = self._type.json_schema(schema_generator=_Untitled)
        version = {"description": "Version of the perfci that wrote this file.", "type": "string"}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **content,
            "title": f"{self._name} of perfci, schema {self.schema}",
            "properties": {self._key: {"const": self.schema}, WRITER: version, **content["properties"]},
            "required": [self._key, *content["required"]],
        }

    def _migrated(self, fields: Fields, number: int, *, where: str) -> Fields:
        try:
            for older in range(number, self.schema):
                fields = self.migrations[older](fields)
        except (LookupError, TypeError, ValueError, AttributeError):  # what a migration meets in a damaged file
            raise ResultError(
                f"{where} is no {self._name} of schema {number}, which it says it is", hint=DAMAGED
            ) from None
        return fields

    def _readable(self) -> str:
        return ", ".join(map(str, sorted({*self.migrations, self.schema})))


class _Untitled(GenerateJsonSchema):
    """Leaves titles out of the JSON Schema, since they would only repeat the names of fields."""

    def field_title_should_be_set(self, schema: CoreSchema | Any) -> bool:  # noqa: ARG002  # pydantic's own signature
        return False


def _refusal(reason: str, writer: str, *, where: str, hint: str) -> ResultError:
    """Describe why a document cannot be read; one of a newer perfci needs a newer one to be read."""
    if _release(writer) > _release(__version__):
        text = f"{where} was written by perfci {writer}, this is {__version__}:\n{reason}"
        return ResultError(text, hint="update perfci, or record anew")
    return ResultError(reason, hint=hint)


def _release(version: str) -> tuple[int, ...]:
    """The numbers of a version, "1.2.0rc1" -> (1, 2, 0); nothing where it is none, so that any version is newer."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9}){1,3})[\w.+-]{0,40}", version)
    return tuple(map(int, found[1].split("."))) if found else ()


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
