"""What endpoints ask for: the services of the application, a database session, the person who asks."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session, joinedload

from demo.cache import Cache
from demo.database import Database
from demo.faults import Fault
from demo.metrics import Metrics
from demo.models import LoginSession
from demo.schemas import Profile
from demo.security import Tokens
from demo.settings import Settings

T = TypeVar("T")
_CACHED_SECONDS = 12 * 3600
_bearer = HTTPBearer(auto_error=False)


@dataclass(frozen=True)
class Services:
    """The long-lived parts of one application."""

    settings: Settings
    database: Database
    cache: Cache
    metrics: Metrics
    tokens: Tokens
    faults: frozenset[Fault] = frozenset()

    @property
    def embedded(self) -> bool:
        """Whether database and cache are in this process."""
        return self.database.dialect == "sqlite" and not self.settings.cache_url


@dataclass(frozen=True)
class Caller:
    """Who asks, and by which sign-in."""

    session_id: str
    profile: Profile

    @property
    def id(self) -> int:
        """The user's number."""
        return self.profile.id

    @property
    def is_staff(self) -> bool:
        """Whether they may touch what belongs to others."""
        return self.profile.role in {"manager", "admin"}


async def get_services(request: Request) -> Services:
    """Asynchronous only because that spares a trip to another thread."""
    services: Services = request.app.state.services
    return services


Deps = Annotated[Services, Depends(get_services)]


async def _at_hand(services: Services, work: Callable[[], T]) -> T:
    """
    Do a moment's work here where nothing leaves the process, else in another thread.

    A trip to a thread and back costs more than a look into a dictionary, and its length varies far more.
    """
    return work() if services.embedded else await run_in_threadpool(work)


async def get_session(services: Deps) -> AsyncIterator[Session]:
    """A database session that is over before the response leaves; endpoints commit what they want to keep."""
    session = services.database.session()
    try:
        yield session
    finally:
        if session.in_transaction():
            await _at_hand(services, session.close)


Db = Annotated[Session, Depends(get_session, scope="function")]


def cache_profile(services: Services, session_id: str, profile: Profile) -> None:
    """Remember who is behind a sign-in, until it is ended."""
    services.cache.set(f"session:{session_id}", profile.model_dump_json(), _CACHED_SECONDS)


def find_profile(services: Services, db: Session, session_id: str) -> Profile | None:
    """Who is behind a sign-in: the cache knows, or else the database."""
    cached = services.cache.get(f"session:{session_id}")
    services.metrics.count_lookup(hit=cached is not None)
    if cached is not None:
        return Profile.model_construct(**json.loads(cached))
    login = db.get(LoginSession, session_id, options=[joinedload(LoginSession.user)])
    if login is None or login.ended_at is not None:
        return None
    profile = Profile.model_validate(login.user)
    cache_profile(services, session_id, profile)
    return profile


async def get_caller(
    services: Deps, db: Db, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The person behind the access token, or 401."""
    session_id = services.tokens.read(credentials.credentials, "access") if credentials else None
    profile = await _at_hand(services, lambda: find_profile(services, db, session_id)) if session_id else None
    if session_id is None or profile is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return Caller(session_id, profile)


User = Annotated[Caller, Depends(get_caller)]


async def ask_directory(services: Deps, db: Db, _caller: User) -> None:
    """
    Wait for another service, as requests do: with a worker thread and a database connection at hand meanwhile.

    Nothing is computed here, so all of them can wait at once, and what keeps them from it is a defect.
    """
    if seconds := services.settings.directory_ms / 1000:

        def wait() -> None:
            db.connection()
            time.sleep(seconds)

        await run_in_threadpool(wait)


DIRECTORY = Depends(ask_directory)


def _only(*roles: str) -> Callable[[Caller], Awaitable[Caller]]:
    async def check(caller: User) -> Caller:
        if caller.profile.role not in roles:
            raise HTTPException(403, f"only for {' and '.join(roles)}")
        return caller

    return check


MANAGERS = Depends(_only("manager", "admin"))
Manager = Annotated[Caller, MANAGERS]
# For routes that need not know who asks, only that they may.
SIGNED_IN = Depends(get_caller)
ADMINS = Depends(_only("admin"))
Id = Annotated[int, Path(alias="id", ge=1, le=2**31 - 1)]
