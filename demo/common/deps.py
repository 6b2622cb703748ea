"""What endpoints ask for: the services of the application, a database session, the person who asks."""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, HTTPException, Path, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session

from demo.common.identity import find_profile
from demo.common.schemas import LARGEST_ID, Profile
from demo.common.security import Claims
from demo.common.services import Services

_bearer = HTTPBearer(auto_error=False)


@dataclass(frozen=True)
class Caller:
    """Who asks, and by which token."""

    claims: Claims
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


async def get_session(services: Deps) -> Session:
    """
    A database session for one endpoint, which commits what it wants to keep.

    It takes a connection with its first statement, and `demo.common.routing.Route` gives that back in the same thread.
    """
    return services.database.session()


Db = Annotated[Session, Depends(get_session)]


async def get_caller(
    services: Deps, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The person behind the access token, or 401."""
    claims = services.tokens.read(credentials.credentials, "access") if credentials else None
    profile = await services.run_near(lambda: find_profile(services, claims)) if claims else None
    if claims is None or profile is None:
        raise HTTPException(401, "sign in first", {"WWW-Authenticate": "Bearer"})
    return Caller(claims, profile)


User = Annotated[Caller, Depends(get_caller)]


def _only(*roles: str) -> Callable[[Caller], Awaitable[Caller]]:
    async def check(caller: User) -> Caller:
        if caller.profile.role not in roles:
            raise HTTPException(403, f"only for {' and '.join(roles)}")
        return caller

    return check


async def keep_rate(services: Deps, caller: User) -> None:
    """Refuse with 429 who asks too often."""
    if seconds := services.limiter.wait(caller.id):
        raise HTTPException(429, "too many requests in a minute", {"Retry-After": str(math.ceil(seconds))})


RATE_LIMITED = Depends(keep_rate)
MANAGERS = Depends(_only("manager", "admin"))
Manager = Annotated[Caller, MANAGERS]
# For routes that need not know who asks, only that they may.
SIGNED_IN = Depends(get_caller)
ADMINS = Depends(_only("admin"))
Id = Annotated[int, Path(alias="id", ge=1, le=LARGEST_ID)]
