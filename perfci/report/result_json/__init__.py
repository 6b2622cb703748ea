"""
The format of `result.json`, which programs read and a second, trusted workflow renders again.

Each type of the document is written from a type of the model and turned back into it, field by field: a name of the
model may change, and no file does. The reader trusts nothing: bounded size, no unknown key, no number that is none.
A new field has a default, so that files from before it are still read.
"""

import json
from itertools import accumulate
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import to_json

from perfci.errors import ResultError
from perfci.model import Outcome
from perfci.report.result_json.decisions import DecisionDocument
from perfci.report.result_json.document import ResultDocument
from perfci.report.sanitise import plain
from perfci.report.view import View
from perfci.schema.stored import Format, parse_json

__all__ = ["FORMAT", "MAX_BYTES", "SCHEMA", "DecisionDocument", "document", "read"]

SCHEMA: Final = 1
MAX_BYTES = 1 << 20
MESSAGE_LIMIT = 250


def document(view: View) -> str:
    """
    The document, small enough for `read`; what does not fit is left out, least severe first, and a finding says so.
    """
    outcome = view.outcome
    text = _written(ResultDocument.from_model(outcome), indent=1)
    if len(text.encode()) <= MAX_BYTES:
        return text
    room = MAX_BYTES - len(_written(ResultDocument.from_model(outcome, first=0)).encode())
    short = (DecisionDocument.from_model(decision, details=False) for decision in outcome.decisions)
    sizes = (len(decision.model_dump_json().encode()) + 1 for decision in short)
    fit = sum(total <= room for total in accumulate(sizes))
    return _written(ResultDocument.from_model(outcome, first=fit))


def _written(document: ResultDocument, *, indent: int | None = None) -> str:
    return to_json(FORMAT.fields(document), indent=indent).decode() + "\n"


def read(data: bytes) -> Outcome:
    """The outcome in *data*, which is not trusted; `ResultError` without its content where it is unusable."""
    if len(data) > MAX_BYTES:
        raise ResultError(f"result.json has {len(data)} bytes, more than the {MAX_BYTES} that are read")
    try:
        document = FORMAT.read(parse_json(data), where="result.json")
    except (ValueError, RecursionError):
        raise ResultError("result.json is not JSON") from None
    except ResultError as error:
        raise ResultError(plain(str(error), MESSAGE_LIMIT), hint=error.hint) from None
    used = {decision.metric for decision in document.decisions} | {slo.metric for slo in document.slos}
    used |= {each.metric for each in document.assessment.analyses} if document.assessment else set()
    if not used <= document.metrics.keys():
        raise ResultError("result.json uses a metric that it does not describe")
    return document.to_model()


def _validated(fields: dict[str, Any]) -> ResultDocument:
    """From text again: a strict reader knows only there that a list may become a tuple, and a text an enumeration."""
    return ResultDocument.model_validate_json(json.dumps(fields))


def _explained(problems: ValidationError, *, where: str) -> str:
    first = problems.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "(top level)"
    return f"{where} is no result of schema {SCHEMA}: {problems.error_count()} problems, the first at {place}"


FORMAT = Format("result", ResultDocument, schema=SCHEMA, key="schema_version", validate=_validated, explain=_explained)
