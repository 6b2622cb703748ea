"""What `result.json` of schema 1 calls the roles of budgets."""

from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from perfci.model import Role

_NAMES = {Role.REQUIRED: "decides", Role.GUARDING: "guards", Role.ADVISORY: "informs"}

RoleV1 = Annotated[
    Role,
    BeforeValidator(lambda name: next((role for role, known in _NAMES.items() if known == name), name)),
    PlainSerializer(_NAMES.__getitem__, when_used="json"),
]
