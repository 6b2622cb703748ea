"""
WebSockets: conversation, voice, telephony media, notifications. The access token comes in the query, `?token=`.

There is no speech model here: the transcript of a frame of voice says how long it is and which digest it has.
"""

import asyncio
import hashlib
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from demo.common.faults import Fault
from demo.common.identity import find_profile
from demo.common.services import Services
from demo.contact_center.notify import topic
from demo.contact_center.schemas import MediaMessage, Said

router = APIRouter(prefix="/api/ws")

NOT_SIGNED_IN = 4401
NONSENSE = 4400


@asynccontextmanager
async def _opened(socket: WebSocket) -> AsyncIterator[tuple[Services, int] | None]:
    """Accept who has a good token and count the socket; the account, or nothing after a refusal."""
    services: Services = socket.app.state.services
    claims = services.tokens.read(socket.query_params.get("token", ""), "access")
    profile = await services.run_near(lambda: find_profile(services, claims)) if claims else None
    await socket.accept()
    if profile is None:
        await socket.close(NOT_SIGNED_IN, "sign in first")
        yield None
        return
    services.metrics.websockets.inc()
    try:
        yield services, profile.id
    except WebSocketDisconnect:
        pass
    except ValueError:
        await socket.close(NONSENSE, "not what this stream takes")
    finally:
        services.metrics.websockets.dec()


class _Answers:
    """Sends answers, but for those that a fault drops."""

    def __init__(self, socket: WebSocket, services: Services) -> None:
        self._socket = socket
        self._dropped = services.faults.get(Fault.DROPPED_FRAMES, 0.0)
        self._random = random.Random(1)  # noqa: S311  # the same frames are dropped every time

    async def send(self, answer: dict[str, Any]) -> None:
        if self._random.random() >= self._dropped:
            await self._socket.send_text(json.dumps(answer))


@router.websocket("/conversation")
async def conversation(socket: WebSocket) -> None:
    """Text for text: `{"id", "text"}` is answered by `{"type": "reply", "id", "words"}`."""
    async with _opened(socket) as opened:
        if opened is None:
            return
        answers = _Answers(socket, opened[0])
        while True:
            message = Said.model_validate_json(await socket.receive_text())
            await answers.send({"type": "reply", "id": message.id, "words": len(message.text.split())})


@router.websocket("/voice")
async def voice(socket: WebSocket) -> None:
    """A transcript for each binary frame: `{"type": "transcript", "frame", "bytes", "sha256"}`."""
    async with _opened(socket) as opened:
        if opened is None:
            return
        answers = _Answers(socket, opened[0])
        frame = 0
        while True:
            sound = await socket.receive_bytes()
            frame += 1
            digest = hashlib.sha256(sound).hexdigest()
            await answers.send({"type": "transcript", "frame": frame, "bytes": len(sound), "sha256": digest})


@router.websocket("/media")
async def media(socket: WebSocket) -> None:
    """The stream of a call: `start`, then `media` with base64 payloads, each answered by a `mark`, then `stop`."""
    async with _opened(socket) as opened:
        if opened is None:
            return
        answers = _Answers(socket, opened[0])
        while (message := MediaMessage.model_validate_json(await socket.receive_text())).event != "stop":
            if message.media is not None:
                mark = {"name": message.media.chunk, "bytes": len(message.media.payload)}
                await answers.send({"event": "mark", "mark": mark})
        await socket.close()


@router.websocket("/notifications")
async def notifications(socket: WebSocket) -> None:
    """What the own account does elsewhere, as it happens; what the client sends is ignored."""
    async with _opened(socket) as opened:
        if opened is None:
            return
        services, account = opened
        answers = _Answers(socket, services)
        with services.hub.listen(topic(account)) as news:
            await socket.send_text(json.dumps({"type": "ready"}))
            left = asyncio.ensure_future(_until_left(socket))
            try:
                while not left.done():
                    heard = asyncio.ensure_future(news.get())
                    await asyncio.wait({heard, left}, return_when=asyncio.FIRST_COMPLETED)
                    if heard.done():
                        await answers.send(json.loads(heard.result()))
                    else:
                        heard.cancel()
            finally:
                left.cancel()


async def _until_left(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
