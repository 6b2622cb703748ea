"""WebSockets: conversation, voice, media, notifications."""

import base64
import hashlib
from collections.abc import Callable
from contextlib import suppress

import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from tests.unit.demo.test_faults import service

Headers = dict[str, str]
Path = Callable[[str], str]
EVENT = {"title": "Visit to the grave", "starts_at": "2030-05-01T10:00:00Z"}


@pytest.fixture
def path(user: Headers) -> Path:
    """The address of a stream, with the token of a user."""
    return lambda name: f"/api/ws/{name}?token={user['Authorization'].removeprefix('Bearer ')}"


def test_each_message_of_a_conversation_gets_its_own_reply(client: TestClient, path: Path) -> None:
    """By its identifier."""
    with client.websocket_connect(path("conversation")) as socket:
        for number in range(3):
            socket.send_json({"id": f"m{number}", "text": "how are you"})
            assert socket.receive_json() == {"type": "reply", "id": f"m{number}", "words": 3}


def test_each_frame_of_voice_gets_a_transcript(client: TestClient, path: Path) -> None:
    """Binary frames, counted, of whatever length."""
    with client.websocket_connect(path("voice")) as socket:
        for number, sound in enumerate((b"", b"\x00" * 320), 1):
            socket.send_bytes(sound)
            digest = hashlib.sha256(sound).hexdigest()
            expected = {"type": "transcript", "frame": number, "bytes": len(sound), "sha256": digest}
            assert socket.receive_json() == expected


def test_a_media_stream_marks_each_frame_and_ends(client: TestClient, path: Path) -> None:
    """The messages of the phone provider: start, media, stop."""
    with client.websocket_connect(path("media")) as socket:
        socket.send_json({"event": "start"})
        payload = base64.b64encode(b"\x7f" * 160).decode()
        socket.send_json({"event": "media", "media": {"chunk": "1", "payload": payload}})
        assert socket.receive_json() == {"event": "mark", "mark": {"name": "1", "bytes": 160}}
        socket.send_json({"event": "stop"})
        with pytest.raises(WebSocketDisconnect):
            socket.receive_json()


def test_what_an_account_does_its_windows_hear(client: TestClient, path: Path, user: Headers, manager: Headers) -> None:
    """Its own events and interactions, and nobody else's."""
    with client.websocket_connect(path("notifications")) as socket:
        assert socket.receive_json() == {"type": "ready"}
        client.post("/calendar/events", headers=manager, json=EVENT)
        event = client.post("/calendar/events", headers=user, json=EVENT).json()["id"]
        assert socket.receive_json() == {"type": "notification", "about": "event", "id": event}
        said = client.post("/contacts/1/interactions", headers=user, json={"summary": "hello"}).json()["id"]
        assert socket.receive_json() == {"type": "notification", "about": "interaction", "id": said}


@pytest.mark.parametrize("name", ["conversation", "voice", "media", "notifications"])
def test_a_stream_is_closed_to_who_has_not_signed_in(client: TestClient, name: str) -> None:
    """With a code of its own."""
    with client.websocket_connect(f"/api/ws/{name}?token=nonsense") as socket:
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 4401


@pytest.mark.parametrize(
    ("name", "message"), [("conversation", "{"), ("conversation", "[]"), ("media", '{"event": "dance"}')]
)
def test_nonsense_ends_a_stream(client: TestClient, path: Path, name: str, message: str) -> None:
    """With a code of its own, and the service goes on."""
    with client.websocket_connect(path(name)) as socket:
        socket.send_text(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
        assert closed.value.code == 4400


def test_open_sockets_are_counted(client: TestClient, path: Path) -> None:
    """While they are open."""
    assert "demo_websockets_open 0.0" in client.get("/metrics").text
    with client.websocket_connect(path("conversation")) as socket:
        socket.send_json({"id": "1", "text": "hello"})
        socket.receive_json()
        assert "demo_websockets_open 1.0" in client.get("/metrics").text


def test_frames_are_dropped_on_demand() -> None:
    """Half of them are not answered, and those that are keep their order."""
    with service("dropped-frames=0.5") as client:
        token = client.headers["Authorization"].removeprefix("Bearer ")
        with client.websocket_connect(f"/api/ws/conversation?token={token}") as socket:
            for number in range(50):
                socket.send_json({"id": str(number), "text": ""})
            socket.send_json({"id": "last", "text": "x" * 20_001})
            answered = []
            with suppress(WebSocketDisconnect):  # the last message is too long, which ends the stream
                while True:
                    answered.append(int(socket.receive_json()["id"]))
    assert answered == sorted(answered)
    assert 15 <= len(answered) <= 35
