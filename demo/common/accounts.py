"""Accounts and sign-ins."""

import secrets

from fastapi import APIRouter, HTTPException
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from demo.common import models
from demo.common.deps import SIGNED_IN, Db, Deps, User
from demo.common.identity import cache_profile, find_profile
from demo.common.routing import Route
from demo.common.schemas import Credentials, Profile, ProfileChanges, Refresh, Registration, TokenPair
from demo.common.security import Claims, hash_password, password_matches
from demo.common.services import Services

router = APIRouter(prefix="/auth", tags=["auth"], route_class=Route)


@router.post("/register", status_code=201)
def register(order: Registration, db: Db) -> Profile:
    """Open an account."""
    user = models.User(
        email=order.email,
        name=order.name,
        role="user",
        department=order.department,
        password_hash=hash_password(order.password),
    )
    db.add(user)
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, "this address has an account already") from None
    return Profile.model_validate(user)


@router.post("/login")
def login(credentials: Credentials, services: Deps, db: Db) -> TokenPair:
    """Sign in."""
    query = select(models.User).where(models.User.email == credentials.email)
    user = db.scalars(query.options(undefer(models.User.password_hash))).one_or_none()
    if user is None or not password_matches(credentials.password, user.password_hash):
        raise HTTPException(401, "no account has this address and password")
    return _start_session(services, db, user)


def _start_session(services: Services, db: Session, user: models.User) -> TokenPair:
    claims = Claims(user.id, secrets.token_hex(16))
    db.add(models.LoginSession(id=claims.session_id, user_id=user.id))
    db.commit()
    cache_profile(services, claims.cache_key, Profile.model_validate(user))
    return _token_pair(services, claims)


def _token_pair(services: Services, claims: Claims) -> TokenPair:
    return TokenPair(
        access_token=services.tokens.issue(claims, "access"), refresh_token=services.tokens.issue(claims, "refresh")
    )


@router.post("/refresh")
def refresh(order: Refresh, services: Deps) -> TokenPair:
    """New tokens for the same sign-in."""
    claims = services.tokens.read(order.refresh_token, "refresh")
    if claims is None or find_profile(services, claims) is None:
        raise HTTPException(401, "sign in again")
    return _token_pair(services, claims)


@router.post("/logout", status_code=204)
def logout(caller: User, services: Deps, db: Db) -> None:
    """End this sign-in; all its tokens are worthless from now on. A token without a sign-in has nothing to end."""
    ended = update(models.LoginSession).where(models.LoginSession.id == caller.claims.session_id)
    db.execute(ended.values(ended_at=models.now()))
    db.commit()
    services.cache.delete(caller.claims.cache_key)


@router.get("/validate", status_code=204, dependencies=[SIGNED_IN])
async def validate() -> None:
    """Say that the token is good; 401 if it is not."""


@router.get("/profile")
async def profile(caller: User) -> Profile:
    """The account of the person who asks."""
    return caller.profile


@router.patch("/profile")
def change_profile(changes: ProfileChanges, caller: User, services: Deps, db: Db) -> Profile:
    """Change one's own account; other sign-ins see it when theirs begins anew."""
    wanted = changes.model_dump(exclude_unset=True)
    if wanted:
        db.execute(update(models.User).where(models.User.id == caller.id).values(**wanted))
        db.commit()
    changed = caller.profile.model_copy(update=wanted)
    cache_profile(services, caller.claims.cache_key, changed)
    return changed
