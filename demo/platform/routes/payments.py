"""Payments, each made once, and the subscriptions that they are for."""

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from demo.common.deps import Db, User
from demo.common.routing import Route
from demo.common.schemas import Part
from demo.platform.models import Payment, Subscription
from demo.platform.schemas import NewPayment, PaymentItem, PaymentPage, SubscriptionItem

router = APIRouter(tags=["payments"], route_class=Route)

Key = Annotated[str | None, Header(alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,64}$")]


@router.post("/payments", status_code=201)
def create_payment(order: NewPayment, caller: User, db: Db, key: Key = None) -> PaymentItem:
    """
    Pay. With an `Idempotency-Key` the same request pays once and gets the same answer, however often it is sent.

    The same key with another order is a conflict.
    """
    if order.subscription_id is not None:
        subscription = db.get(Subscription, order.subscription_id)
        if subscription is None or subscription.user_id != caller.id:
            raise HTTPException(404, f"there is no subscription {order.subscription_id} of yours")
    payment = Payment(user_id=caller.id, idempotency_key=key, **order.model_dump())
    db.add(payment)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        return _made_before(db, caller.id, key, order)
    return PaymentItem.model_validate(payment)


def _made_before(db: Session, user_id: int, key: str | None, order: NewPayment) -> PaymentItem:
    made = db.scalars(select(Payment).where(Payment.user_id == user_id, Payment.idempotency_key == key)).one()
    if any(getattr(made, name) != value for name, value in order.model_dump().items()):
        raise HTTPException(409, "this Idempotency-Key belongs to another payment")
    return PaymentItem.model_validate(made)


@router.get("/payments")
def list_payments(caller: User, db: Db, part: Annotated[Part, Query()]) -> PaymentPage:
    """One's own payments, newest first."""
    query = select(Payment).where(Payment.user_id == caller.id)
    if part.before is not None:
        query = query.where(Payment.id < part.before)
    payments = db.scalars(query.order_by(Payment.id.desc()).limit(part.limit + 1)).all()
    items = [PaymentItem.model_validate(payment) for payment in payments[: part.limit]]
    return PaymentPage(items=items, next_before=items[-1].id if len(payments) > part.limit else None)


@router.get("/subscriptions")
def list_subscriptions(caller: User, db: Db) -> list[SubscriptionItem]:
    """One's own subscriptions, newest first; a hundred at most."""
    query = select(Subscription).where(Subscription.user_id == caller.id).order_by(Subscription.id.desc())
    return [SubscriptionItem.model_validate(subscription) for subscription in db.scalars(query.limit(100))]
