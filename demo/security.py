"""Passwords and tokens."""

import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Literal

import jwt

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
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ITERATIONS, 32)


@dataclass(frozen=True)
class Tokens:
    """Issues and reads the JSON web tokens of a sign-in."""

    key: str

    def issue(self, session_id: str, kind: Kind) -> str:
        """A token for that sign-in."""
        issued = int(time.time())
        claims = {"sid": session_id, "kind": kind, "iat": issued, "exp": issued + LIFETIME_SECONDS[kind]}
        return jwt.encode(claims, self.key, algorithm="HS256")

    def read(self, token: str, kind: Kind) -> str | None:
        """The sign-in behind a token; none if it is forged, over or of another kind."""
        try:
            claims = jwt.decode(token, self.key, algorithms=["HS256"], options={"require": ["exp", "sid", "kind"]})
        except jwt.InvalidTokenError:
            return None
        return str(claims["sid"]) if claims["kind"] == kind else None
