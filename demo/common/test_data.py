"""Test data over HTTP; exists only with `DEMO_TEST_DATA=1`."""

import hmac
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from demo.common.deps import Deps, get_services
from demo.common.routing import Route
from demo.common.schemas import Created, Deleted
from demo.common.seeding import ACCOUNTS, MOST, NotEmptyError, Seeder
from demo.common.services import Services
from demo.common.system import System


async def _check_token(
    services: Annotated[Services, Depends(get_services)], x_admin_token: Annotated[str, Header()] = ""
) -> None:
    expected = services.settings.admin_token
    if expected and not hmac.compare_digest(x_admin_token.encode(), expected.encode()):
        raise HTTPException(403, "the header X-Admin-Token is not DEMO_ADMIN_TOKEN")


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rng_seed: int = 1
    counts: Any


def _order_for(systems: tuple[System, ...]) -> type[_Order]:
    """The same order gives the same data, anywhere and at any time; what is not counted gets its usual number."""
    usual = ACCOUNTS | {name: count for system in systems for name, count in system.counts.items()}
    fields: dict[str, Any] = {
        name: (Annotated[int, Field(ge=0, le=MOST.get(name, MOST["rows"]))], count) for name, count in usual.items()
    }
    counts = create_model("Counts", __config__=ConfigDict(extra="forbid"), **fields)
    return create_model("SeedOrder", __base__=_Order, counts=(counts, counts()))


def router_for(systems: tuple[System, ...]) -> APIRouter:
    """The routes that fill and empty the database of these systems."""
    router = APIRouter(prefix="/test-data", tags=["test data"], dependencies=[Depends(_check_token)], route_class=Route)

    @router.get("", status_code=204)
    async def mark(response: Response) -> None:
        """Say that this service holds nothing but test data."""
        response.headers["Test-Target"] = "true"

    def create(order: _Order, services: Deps) -> Created:
        """Fill the empty database; the same order gives the same data."""
        try:
            return Seeder(services.database, systems).create(order.rng_seed, order.counts.model_dump())
        except NotEmptyError as error:
            raise HTTPException(409, str(error)) from error

    create.__annotations__["order"] = _order_for(systems)
    router.post("", status_code=201)(create)

    @router.delete("")
    def delete(services: Deps) -> Deleted:
        """Empty the database: what was created here, and everything that requests have added since."""
        deleted = Seeder(services.database, systems).delete()
        services.cache.clear()
        return Deleted(deleted=deleted)

    return router
