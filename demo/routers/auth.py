"""Accounts and sign-ins."""

import secrets

from fastapi import APIRouter, HTTPException
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from demo import models
from demo.deps import Db, Deps, Services, User, cache_profile, find_profile
from demo.schemas import Credentials, Profile, Refresh, Registration, TokenPair
from demo.security import hash_password, password_matches

router = APIRouter(prefix="/auth", tags=["auth"])


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
    started = models.LoginSession(id=secrets.token_hex(16), user_id=user.id)
    db.add(started)
    db.commit()
    cache_profile(services, started.id, Profile.model_validate(user))
    return _token_pair(services, started.id)


def _token_pair(services: Services, session_id: str) -> TokenPair:
    return TokenPair(
        access_token=services.tokens.issue(session_id, "access"),
        refresh_token=services.tokens.issue(session_id, "refresh"),
    )


@router.post("/refresh")
def refresh(order: Refresh, services: Deps, db: Db) -> TokenPair:
    """New tokens for the same sign-in."""
    session_id = services.tokens.read(order.refresh_token, "refresh")
    if session_id is None or find_profile(services, db, session_id) is None:
        raise HTTPException(401, "sign in again")
    return _token_pair(services, session_id)


@router.post("/logout", status_code=204)
def logout(caller: User, services: Deps, db: Db) -> None:
    """End this sign-in; all its tokens are worthless from now on."""
    ended = update(models.LoginSession).where(models.LoginSession.id == caller.session_id)
    db.execute(ended.values(ended_at=models.now()))
    db.commit()
    services.cache.delete(f"session:{caller.session_id}")


@router.get("/profile")
def profile(caller: User) -> Profile:
    """The account of the person who asks."""
    return caller.profile
