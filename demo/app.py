"""The application, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from demo.cache import open_cache
from demo.database import CONNECTIONS, Database
from demo.deps import Services
from demo.faults import FEW_CONNECTIONS, Fault, FaultsMiddleware, ForgetfulCache, drop_index, few_workers, parse_faults
from demo.metrics import Metrics, MetricsMiddleware
from demo.routers import approvals, attachments, auth, comments, health, reports, seeding, tickets
from demo.security import Tokens
from demo.settings import Settings
from demo.slowdown import Endpoint, SlowdownMiddleware, parse_slowdowns

AREAS = (health, auth, tickets, approvals, comments, attachments, reports)


def create_app(settings: Settings) -> ASGIApp:
    """The whole service; ValueError if a setting makes no sense."""
    routers = [area.router for area in AREAS]
    if settings.test_data:
        routers.append(seeding.router)
    slowdowns = parse_slowdowns(settings.slow, _endpoints(routers))
    faults = parse_faults(settings.faults)
    cache = open_cache(settings.cache_url)
    if Fault.NO_CACHE in faults:
        cache = ForgetfulCache(cache)
    metrics = Metrics()
    connections = FEW_CONNECTIONS if Fault.SMALL_POOL in faults else CONNECTIONS
    database = Database(settings.database_url, metrics.count_statement, connections=connections)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = Services(settings, database, cache, metrics, Tokens(settings.secret_key), faults)
        if Fault.HALF_WORKERS in faults:
            current_default_thread_limiter().total_tokens = few_workers()
        try:
            database.create_tables()
            if Fault.DROPPED_INDEX in faults:
                with database.engine.begin() as connection:
                    drop_index(connection)
            yield
        finally:
            cache.close()
            database.close()

    app = FastAPI(title="Tickets", version="1", lifespan=lifespan)
    for router in routers:
        app.include_router(router)
    if faults:
        app.add_middleware(FaultsMiddleware, faults=faults)
    app.add_middleware(MetricsMiddleware, metrics=metrics)
    return SlowdownMiddleware(app, slowdowns)


def _endpoints(routers: list[APIRouter]) -> set[Endpoint]:
    routes = (route for router in routers for route in router.routes if isinstance(route, APIRoute))
    return {(method, route.path) for route in routes for method in route.methods or ()}
