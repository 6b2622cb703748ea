"""How an endpoint is run: in one visit to a worker thread, which leaves nothing behind."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from fastapi import Response
from fastapi.concurrency import run_in_threadpool
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from sqlalchemy.orm import Session


class Route(APIRoute):
    """
    Runs an ordinary endpoint, closes its session and writes its answer without leaving the thread in between.

    So no request holds a connection to the database while it waits for a thread: where it did, a few hundred users
    were enough for every thread to wait for a connection and every connection for a thread.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """An asynchronous endpoint is left as it is; a response model, if given, is what is documented."""
        if not inspect.iscoroutinefunction(endpoint):
            model: Any = options.get("response_model")
            if isinstance(model, DefaultPlaceholder):
                model = inspect.signature(endpoint).return_annotation
            endpoint = _in_one_visit(endpoint, options.get("status_code") or 200, TypeAdapter(model))
        super().__init__(path, endpoint, **options)


def _in_one_visit(endpoint: Callable[..., Any], status: int, adapter: TypeAdapter[Any]) -> Callable[..., Any]:
    signature = inspect.signature(endpoint)

    def work(arguments: dict[str, Any]) -> Response:
        try:
            result = endpoint(**arguments)
            if isinstance(result, Response):
                return result
            if status == 204:
                return Response(status_code=204)
            return Response(adapter.dump_json(result), status, media_type="application/json")
        finally:
            for argument in arguments.values():
                if isinstance(argument, Session):
                    argument.close()

    @functools.wraps(endpoint)
    async def visit(**arguments: Any) -> Response:
        return await run_in_threadpool(work, arguments)

    # FastAPI would look behind `__wrapped__` and find a function that it must run in a thread.
    del visit.__wrapped__
    visit.__signature__ = signature  # type: ignore[attr-defined]  # what `inspect` asks first
    return visit
