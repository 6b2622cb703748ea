"""Is it alive, is it ready, what has it counted."""

from fastapi import APIRouter, HTTPException, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from demo.common.cache import Cache
from demo.common.database import Database
from demo.common.deps import Deps
from demo.common.routing import Route
from demo.common.schemas import CacheStats, State

router = APIRouter(tags=["health"], route_class=Route)


@router.get("/health")
async def health() -> State:
    """The process answers; nothing else is asked."""
    return State(status="ok")


@router.get("/ready")
def ready(services: Deps) -> State:
    """The database and the cache answer too."""
    for name, part in (("database", services.database), ("cache", services.cache)):
        _ping(name, part)
    return State(status="ready")


def _ping(name: str, part: Database | Cache) -> None:
    try:
        part.ping()
    except Exception as error:  # whatever a driver raises, the answer is the same
        raise HTTPException(503, f"the {name} does not answer: {type(error).__name__}") from error


@router.get("/api/cache/stats")
async def cache_stats(services: Deps) -> CacheStats:
    """How often the cache had what was looked for."""
    hits, misses = services.metrics.lookups()
    return CacheStats(hits=hits, misses=misses, hit_rate=hits / (hits + misses) if hits + misses else 0.0)


@router.get("/api/cache/health")
def cache_health(services: Deps) -> State:
    """The cache answers."""
    _ping("cache", services.cache)
    return State(status="ok")


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(services: Deps) -> Response:
    """Everything that is counted, for Prometheus."""
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)
