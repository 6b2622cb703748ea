"""Answers 405 to a method that a path does not support."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route


async def method_not_allowed(request: Request, _error: Exception) -> Response:
    """405 with every method of the path, of which the framework names those of one route alone."""
    allowed: set[str] = set()
    for route in request.app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            allowed |= route.methods or set()
    return JSONResponse({"detail": "Method Not Allowed"}, 405, {"Allow": ", ".join(sorted(allowed))})
