"""Parts of `result.json`, schema 1: the roles of budgets and the metrics."""

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from perfci.model import Better, Metric, Quantity, Role, Scale
from perfci.schema import Table

_NAMES = {Role.REQUIRED: "decides", Role.GUARDING: "guards", Role.ADVISORY: "informs"}

RoleV1 = Annotated[
    Role,
    BeforeValidator(lambda name: next((role for role, known in _NAMES.items() if known == name), name)),
    PlainSerializer(_NAMES.__getitem__, when_used="json"),
]

_QUANTITIES = {"ms": Quantity.TIME, "1/s": Quantity.RATE}
_Name = Annotated[str, Field(max_length=300)]


class MetricV1(Table):
    """`Metric`, without what only the judge needs of it."""

    model_config = ConfigDict(strict=True)

    name: _Name
    unit: _Name
    better: Better
    scale: Scale
    portable: bool
    exact: bool
    meaning: Annotated[str, Field(max_length=2000)]
    quantity: Quantity | None = None  # None: of a result from before it was written

    def metric(self) -> Metric:
        """As the model has it; an older result tells the quantity by the unit."""
        known = _QUANTITIES.get(self.unit, Quantity.SHARE if not self.unit and not self.exact else Quantity.COUNT)
        return Metric(**self.model_dump() | {"quantity": self.quantity or known})
