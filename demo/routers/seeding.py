"""Test data over HTTP; exists only with `DEMO_TEST_DATA=1`."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException, Response

from demo.deps import Deps, Services, get_services
from demo.schemas import Created, Deleted, SeedOrder
from demo.seeding import NotEmptyError, Seeder


async def _check_token(
    services: Annotated[Services, Depends(get_services)], x_admin_token: Annotated[str, Header()] = ""
) -> None:
    expected = services.settings.admin_token
    if expected and not hmac.compare_digest(x_admin_token.encode(), expected.encode()):
        raise HTTPException(403, "the header X-Admin-Token is not DEMO_ADMIN_TOKEN")


router = APIRouter(prefix="/test-data", tags=["test data"], dependencies=[Depends(_check_token)])


@router.get("", status_code=204)
def mark(response: Response) -> None:
    """Say that this service holds nothing but test data."""
    response.headers["Test-Target"] = "true"


@router.post("", status_code=201)
def create(order: SeedOrder, services: Deps) -> Created:
    """Fill the empty database; the same order gives the same data."""
    try:
        return Seeder(services.database).create(order)
    except NotEmptyError as error:
        raise HTTPException(409, str(error)) from error


@router.delete("")
def delete(services: Deps) -> Deleted:
    """Empty the database: what was created here, and everything that requests have added since."""
    deleted = Seeder(services.database).delete()
    services.cache.clear()
    return Deleted(deleted=deleted)
