"""The application, put together from what is common and a number of systems."""

from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Lifespan

from demo.common import accounts, health, test_data
from demo.common.admission import AdmissionMiddleware
from demo.common.cache import open_cache
from demo.common.database import CONNECTIONS, Database
from demo.common.fault_middleware import FaultsMiddleware
from demo.common.faults import (
    FEW_CONNECTIONS,
    Fault,
    ForgetfulCache,
    StoppedCache,
    drop_indices,
    few_workers,
    parse_faults,
)
from demo.common.metrics import Metrics, MetricsMiddleware
from demo.common.migrate import upgrade
from demo.common.not_allowed import method_not_allowed
from demo.common.rate_limit import RateLimiter
from demo.common.schemas import PROBLEMS
from demo.common.security import Tokens
from demo.common.services import Services
from demo.common.settings import Settings
from demo.common.slowdown import Endpoint, SlowdownMiddleware, parse_slowdowns
from demo.common.system import System


def build_app(settings: Settings, systems: Iterable[System]) -> ASGIApp:
    """The whole service; ValueError if a setting makes no sense."""
    systems = tuple(systems)
    routers = [health.router, accounts.router, *(router for system in systems for router in system.routers)]
    if settings.test_data:
        routers.append(test_data.router_for(systems))
    slowdowns = parse_slowdowns(settings.slow, _endpoints(routers))
    services = _services(settings)
    app = FastAPI(title="Demo", version="1", lifespan=_lifespan(services, systems))
    app.add_exception_handler(405, method_not_allowed)
    for router in routers:
        app.include_router(router, responses=PROBLEMS)
    if services.faults:
        app.add_middleware(FaultsMiddleware, faults=services.faults, connect=services.database.engine.connect)
    app.add_middleware(AdmissionMiddleware, at_once=CONNECTIONS, waiting=settings.most_waiting)
    app.add_middleware(MetricsMiddleware, metrics=services.metrics)
    return SlowdownMiddleware(app, slowdowns)


def _services(settings: Settings) -> Services:
    faults = parse_faults(settings.faults)
    cache = open_cache(settings.cache_url)
    if Fault.NO_CACHE in faults:
        cache = ForgetfulCache(cache, int(faults[Fault.NO_CACHE]))
    if Fault.CACHE_STOPS in faults:
        cache = StoppedCache(cache, int(faults[Fault.CACHE_STOPS]))
    metrics = Metrics()
    connections = FEW_CONNECTIONS if Fault.SMALL_POOL in faults else CONNECTIONS
    database = Database(settings.database_url, metrics.count_statement, connections=connections)
    metrics.watch_pool(in_use=lambda: database.connections_in_use, opened=lambda: database.connections_open)
    limiter = RateLimiter(0 if Fault.NO_RATE_LIMIT in faults else settings.rate_limit)
    return Services(settings, database, cache, metrics, Tokens(settings.secret_key), limiter, faults)


def _lifespan(services: Services, systems: tuple[System, ...]) -> Lifespan[FastAPI]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.services = services
        if Fault.HALF_WORKERS in services.faults:
            current_default_thread_limiter().total_tokens = few_workers()
        try:
            services.database.await_answer(services.settings.database_wait_s)
            upgrade(services.database.engine)
            if Fault.DROPPED_INDEX in services.faults:
                with services.database.engine.begin() as connection:
                    drop_indices(connection, (system.lost_index for system in systems))
            services.later.start()
            async with AsyncExitStack() as running:
                running.push_async_callback(services.later.stop)
                for system in systems:
                    await running.enter_async_context(system.background(services))
                yield
        finally:
            services.cache.close()
            services.database.close()

    return lifespan


def _endpoints(routers: list[APIRouter]) -> set[Endpoint]:
    routes = (route for router in routers for route in router.routes if isinstance(route, APIRoute))
    return {(method, route.path_format) for route in routes for method in route.methods or ()}
