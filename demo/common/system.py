"""What the application needs to know of a business system; each system's package has one `SYSTEM`."""

import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Table

from demo.common.models import Base
from demo.common.services import Services

Row = dict[str, Any]
Rows = Iterator[tuple[Table, list[Row]]]


@dataclass(frozen=True)
class Accounts:
    """The seeded accounts that a system's data may belong to, as rows of `users`."""

    users: list[Row]
    managers: list[Row]
    admins: list[Row]

    @property
    def everybody(self) -> list[Row]:
        """All of them, by number."""
        return [*self.users, *self.managers, *self.admins]


MakeRows = Callable[[random.Random, Mapping[str, int], Accounts], Rows]
Background = Callable[[Services], AbstractAsyncContextManager[None]]


def no_rows(_rng: random.Random, _counts: Mapping[str, int], _accounts: Accounts) -> Rows:
    """For a system without test data of its own."""
    yield from ()


@asynccontextmanager
async def no_background(_services: Services) -> AsyncIterator[None]:
    """For a system that works on requests only."""
    yield


@dataclass(frozen=True, kw_only=True)
class System:
    """One business system: routes, test data, and what runs beside the requests."""

    name: str
    routers: tuple[APIRouter, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    """What can be seeded, with the number that is made unless another one is asked for."""
    rows: MakeRows = no_rows
    """The seeded rows, table by table, parents first."""
    background: Background = no_background
    lost_index: str = ""
    """The index that the fault `dropped-index` drops."""


def table_of(model: type[Base]) -> Table:
    """The table behind a model."""
    table = model.__table__
    assert isinstance(table, Table)
    return table
