"""What goes over the wire in every system: accounts, tokens, parts of lists, test data."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LARGEST_ID = 2**31 - 1

Department = Literal["engineering", "finance", "legal", "operations", "people", "sales"]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s\x00]+@[^@\s\x00]+$", max_length=120, to_lower=True)]
Line = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=80)]
Title = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00]+$", min_length=3, max_length=120)]
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]+$", min_length=1, max_length=20_000)]
Note = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=500)]


class Row(BaseModel):
    """Read from an object of the database."""

    model_config = ConfigDict(from_attributes=True)


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


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

    name: Line | None = None
    department: Department | None = None


class Person(Row):
    """A name beside something."""

    id: int
    name: str


class Part(BaseModel):
    """Which part of a list: so many, from those before a number."""

    before: int | None = Field(default=None, ge=1, le=LARGEST_ID)
    limit: int = Field(default=25, ge=1, le=100)


class Created(BaseModel):
    """What was created, and a digest of all of it."""

    created: dict[str, int]
    digest: str


class Deleted(BaseModel):
    """How many rows went, by table."""

    deleted: dict[str, int]
