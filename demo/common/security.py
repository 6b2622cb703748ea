"""Passwords and tokens."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from demo.common.schemas import LARGEST_ID

Kind = Literal["access", "refresh"]
LIFETIME_SECONDS: dict[Kind, int] = {"access": 12 * 3600, "refresh": 7 * 24 * 3600}

# A choice for a demo, never for a service with secrets: logins are measured here, and a proper hash would be all that
# such a measurement sees. It costs a quarter of a millisecond whatever the password.
_ITERATIONS = 500


def hash_password(password: str, salt: bytes | None = None) -> str:
    """`salt$digest` in hexadecimal."""
    salt = secrets.token_bytes(16) if salt is None else salt
    return f"{salt.hex()}${_digest(password, salt).hex()}"


def password_matches(password: str, stored: str) -> bool:
    """Compare in constant time."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)).hex(), digest)


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", password.encode(errors="replace"), salt, _ITERATIONS, 32)


@dataclass(frozen=True)
class Claims:
    """What a valid token says: whose it is and, if it came from a sign-in, which one."""

    user_id: int
    session_id: str = ""

    @property
    def cache_key(self) -> str:
        """Where the cache has the profile behind it."""
        return f"session:{self.session_id}" if self.session_id else f"user:{self.user_id}"


@dataclass(frozen=True)
class Tokens:
    """Issues and reads JSON web tokens. The signature decides; a token need not come from a sign-in of this service."""

    key: str

    def issue(self, claims: Claims, kind: Kind) -> str:
        """A token for that sign-in."""
        issued = int(time.time())
        payload = {
            "sub": str(claims.user_id),
            "sid": claims.session_id,
            "kind": kind,
            "iat": issued,
            "exp": issued + LIFETIME_SECONDS[kind],
        }
        return jwt.encode(payload, self.key, algorithm="HS256")

    def read(self, token: str, kind: Kind) -> Claims | None:
        """What the token says; none if it is forged, over, of another kind or without a user's number."""
        try:
            payload = jwt.decode(token, self.key, algorithms=["HS256"], options={"require": ["exp", "sub", "kind"]})
        except (jwt.InvalidTokenError, UnicodeError):
            return None
        return _claims(payload) if payload["kind"] == kind else None


def _claims(payload: dict[str, Any]) -> Claims | None:
    user, session = str(payload["sub"]), payload.get("sid", "")
    if not user.isascii() or not user.isdigit() or len(user) > 10 or not isinstance(session, str):
        return None
    return Claims(int(user), session) if 1 <= int(user) <= LARGEST_ID else None
