"""Notifications: what somebody did, for their own open windows."""

import json

from demo.common.services import Services


def topic(user_id: int) -> str:
    """What the windows of an account listen to."""
    return f"notifications:{user_id}"


def notify(services: Services, user_id: int, about: str, number: int) -> None:
    """Say that something with that number was made."""
    services.hub.publish(topic(user_id), json.dumps({"type": "notification", "about": about, "id": number}))
