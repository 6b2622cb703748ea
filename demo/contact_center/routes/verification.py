"""Phone verification: a code goes to the phone, and comes back from whoever holds it."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from fastapi import APIRouter, HTTPException

from demo.common.deps import RATE_LIMITED, Db, Deps, User
from demo.common.models import now
from demo.common.routing import Route
from demo.contact_center.models import Verification
from demo.contact_center.schemas import Confirmation, Confirmed, NewVerification, VerificationItem

router = APIRouter(prefix="/telephony/verify", tags=["telephony"], dependencies=[RATE_LIMITED], route_class=Route)

_LIFETIME = timedelta(minutes=10)
_MOST_ATTEMPTS = 5


@router.post("", status_code=201)
def start(order: NewVerification, caller: User, services: Deps, db: Db) -> VerificationItem:
    """Send a code. There is no phone here: a test target tells the code instead."""
    code = f"{secrets.randbelow(1_000_000):06}"
    verification = Verification(user_id=caller.id, phone=order.phone, code_sha256=_digest(code))
    db.add(verification)
    db.commit()
    shown = code if services.settings.test_data else None
    return VerificationItem(id=verification.id, phone=verification.phone, code=shown)


@router.post("/confirm")
def confirm(order: Confirmation, caller: User, db: Db) -> Confirmed:
    """Compare a code. A wrong one can be tried again, five times in ten minutes."""
    verification = db.get(Verification, order.id)
    if verification is None or verification.user_id != caller.id:
        raise HTTPException(404, f"there is no verification {order.id} of yours")
    if verification.attempts >= _MOST_ATTEMPTS or now() - verification.started_at > _LIFETIME:
        raise HTTPException(409, "this code is no longer good: start anew")
    verification.attempts += 1
    confirmed = hmac.compare_digest(verification.code_sha256, _digest(order.code))
    verification.confirmed_at = now() if confirmed else None
    db.commit()
    return Confirmed(phone=verification.phone, confirmed=confirmed)


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
