"""Is it alive, is it ready, what has it counted."""

from fastapi import APIRouter, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST

from demo.common.deps import Deps
from demo.common.routing import Route

router = APIRouter(tags=["health"], route_class=Route)


@router.get("/health")
async def health() -> dict[str, str]:
    """The process answers; nothing else is asked."""
    return {"status": "ok"}


@router.get("/ready")
def ready(services: Deps) -> dict[str, str]:
    """The database and the cache answer too."""
    for name, part in (("database", services.database), ("cache", services.cache)):
        try:
            part.ping()
        except Exception as error:  # whatever a driver raises, the answer is the same
            raise HTTPException(503, f"the {name} does not answer: {type(error).__name__}") from error
    return {"status": "ready"}


@router.get("/metrics")
async def metrics(services: Deps) -> Response:
    """Everything that is counted, for Prometheus."""
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)
