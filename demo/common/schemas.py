"""What goes over the wire in every system: accounts, tokens, parts of lists, test data."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

LARGEST_ID = 2**31 - 1

Department = Literal["engineering", "finance", "legal", "operations", "people", "sales"]
Email = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]+@[!-?A-~]+$", max_length=120, to_lower=True)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=80)]
Title = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=3, max_length=120)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=20_000)]
Note = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]


def _no_stand_in(value: object) -> object:
    """JSON has numbers: `true` and `"1"` are none, and 1.0 is a whole one."""
    if isinstance(value, bool | str):
        raise ValueError("not a number")  # noqa: TRY004  # a ValueError is what pydantic reports
    return value


WHOLE = BeforeValidator(_no_stand_in)
"""Goes last into an annotation: what limits the number then stays in the OpenAPI document."""
Number = Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE]
QueryNumber = Annotated[int, Field(ge=1, le=LARGEST_ID)]
LEFT_OUT: Any = Field(default_factory=lambda: None)
"""The default of a field that may be left out, and is not `null` if it is there."""


class Row(BaseModel):
    """Read from an object of the database."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in {
        400: "The body is no JSON or no form",
        401: "Nobody has signed in",
        403: "Not for this account",
        404: "There is no such thing",
        409: "It contradicts what is there",
        413: "It is too large",
        429: "Asked too often",
        503: "Too many requests at once",
    }.items()
}
"""What any endpoint may answer, for the OpenAPI document."""


class Credentials(BaseModel):
    """What a sign-in needs."""

    email: Email
    password: str = Field(min_length=1, max_length=200)


class Registration(Credentials):
    """A new account; its role is `user`."""

    name: Line
    department: Department = "operations"


class Refresh(BaseModel):
    """The long-lived token of a sign-in."""

    refresh_token: str


class TokenPair(BaseModel):
    """What a sign-in gives."""

    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"


class Profile(Row):
    """The person who asks."""

    id: int
    email: str
    name: str
    role: str
    department: str


class ProfileChanges(BaseModel):
    """The fields of one's own account to set; what is left out stays."""

    name: Line = LEFT_OUT
    department: Department = LEFT_OUT


class Person(Row):
    """A name beside something."""

    id: int
    name: str


class Part(BaseModel):
    """Which part of a list: so many, from those before a number."""

    before: QueryNumber | None = None
    limit: int = Field(default=25, ge=1, le=100)


class CacheStats(BaseModel):
    """What was looked for in the cache since the service began, and how much of it was there."""

    hits: int
    misses: int
    hit_rate: float = Field(description="Between 0 and 1; 0 if nothing was looked for yet")


class State(BaseModel):
    """How something does."""

    status: str


class Created(BaseModel):
    """What was created, and a digest of all of it."""

    created: dict[str, int]
    digest: str


class Deleted(BaseModel):
    """How many rows went, by table."""

    deleted: dict[str, int]
