"""Who is behind a token: the cache knows, or else the database."""

import json

from sqlalchemy.orm import joinedload

from demo.common.models import LoginSession, User
from demo.common.schemas import Profile
from demo.common.security import Claims
from demo.common.services import Services

_CACHED_SECONDS = 12 * 3600


def cache_profile(services: Services, key: str, profile: Profile) -> None:
    """Remember who somebody is, until the sign-in is ended or the account changed."""
    services.cache.set(key, profile.model_dump_json(), _CACHED_SECONDS)


def find_profile(services: Services, claims: Claims) -> Profile | None:
    """The account behind a valid token; none if its sign-in was ended or there is no such account."""
    cached = services.cache.get(claims.cache_key)
    services.metrics.count_lookup(hit=cached is not None)
    if cached is not None:
        return Profile.model_construct(**json.loads(cached))
    user = _load(services, claims)
    if user is None:
        return None
    profile = Profile.model_validate(user)
    cache_profile(services, claims.cache_key, profile)
    return profile


def _load(services: Services, claims: Claims) -> User | None:
    # A session of its own, over before the endpoint waits for a thread.
    with services.database.session() as db:
        if claims.session_id:
            login = db.get(LoginSession, claims.session_id, options=[joinedload(LoginSession.user)])
            valid = login is not None and login.ended_at is None and login.user_id == claims.user_id
            return login.user if login is not None and valid else None
        return db.get(User, claims.user_id)
