"""API keys: made, listed, revoked."""

import hashlib
import secrets

from fastapi import APIRouter, HTTPException
from sqlalchemy import select

from demo.common.deps import Db, Id, User
from demo.common.routing import Route
from demo.saas.models import ApiKey
from demo.saas.schemas import FreshKey, KeyItem, NewKey

router = APIRouter(prefix="/api-keys", tags=["api keys"], route_class=Route)


@router.get("")
def list_keys(caller: User, db: Db) -> list[KeyItem]:
    """One's own keys, newest first; a hundred at most."""
    query = select(ApiKey).where(ApiKey.user_id == caller.id).order_by(ApiKey.id.desc()).limit(100)
    return [KeyItem.model_validate(key) for key in db.scalars(query)]


@router.post("", status_code=201)
def create_key(order: NewKey, caller: User, db: Db) -> FreshKey:
    """A new key, with its secret."""
    secret = secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).hexdigest()
    key = ApiKey(user_id=caller.id, name=order.name, prefix=secret[:8], sha256=digest)
    db.add(key)
    db.commit()
    return FreshKey(**KeyItem.model_validate(key).model_dump(), secret=secret)


@router.delete("/{id}", status_code=204)
def revoke_key(key_id: Id, caller: User, db: Db) -> None:
    """Revoke one of one's own keys."""
    key = db.get(ApiKey, key_id)
    if key is None or key.user_id != caller.id:
        raise HTTPException(404, f"there is no key {key_id} of yours")
    db.delete(key)
    db.commit()
