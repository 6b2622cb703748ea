"""Webhooks: the phone provider tells what becomes of a call."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header, HTTPException, Request
from sqlalchemy import select

from demo.common.deps import Db, Deps
from demo.common.routing import Route
from demo.contact_center.models import Call
from demo.contact_center.schemas import CallItem, CallNews
from demo.contact_center.signature import signature_of

router = APIRouter(prefix="/telephony/webhooks", tags=["telephony"], route_class=Route)


async def _check_signature(request: Request, services: Deps, x_twilio_signature: Annotated[str, Header()] = "") -> None:
    form = await request.form()
    fields = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    expected = signature_of(services.settings.webhook_token, str(request.url), fields)
    if not hmac.compare_digest(expected.encode(), x_twilio_signature.encode(errors="replace")):
        raise HTTPException(403, "the signature is not that of the phone provider")


@router.post("/voice", dependencies=[Depends(_check_signature)])
def voice(news: Annotated[CallNews, Form()], db: Db) -> CallItem:
    """A call began, or its state is another now; the same news twice is no harm."""
    call = db.scalars(select(Call).where(Call.sid == news.call_sid)).one_or_none()
    if call is None:
        call = Call(sid=news.call_sid, caller=news.caller, called=news.called)
        db.add(call)
    call.status, call.seconds = news.call_status, news.call_duration
    db.commit()
    return CallItem.model_validate(call)
