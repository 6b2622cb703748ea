"""Findings about limits and budgets that apply to nothing."""

from perfci.model import Weight
from perfci.sentences.finding import finding, listed


@finding
class EndpointUnknown:
    """The policy names an endpoint that got no request."""

    code = "endpoint-unknown"
    weight = Weight.WARNING
    table: str  # of the configuration: "[[gate.slo]]"
    pattern: str
    near: tuple[str, ...]  # names that were measured

    @property
    def message(self) -> str:
        return f"{self.table} names {self.pattern!r}, which got no request"

    @property
    def hint(self) -> str:
        return f"Measured: {listed(self.near)}."


@finding
class FewRequests:
    """Endpoints got too few requests for their times to be compared."""

    code = "few-requests"
    weight = Weight.WARNING
    endpoints: tuple[str, ...]
    measured: int  # endpoints
    least: int  # requests

    @property
    def message(self) -> str:
        which = f"{len(self.endpoints)} of {self.measured} endpoints"
        return f"{which} had too few requests to compare their times: {listed(self.endpoints)}"

    @property
    def hint(self) -> str:
        return f"At least {self.least} in every round and every duet are needed: make rounds longer, or use more users."
