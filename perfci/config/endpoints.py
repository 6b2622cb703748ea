"""`[[endpoints]]` in `perfci.toml`: the project's own names for endpoints."""

from pydantic import Field

from perfci.model import EndpointName
from perfci.schema import Table


class EndpointTable(Table):
    """One name, and which endpoints have it."""

    match: str = Field(min_length=1, max_length=500)  # a pattern: "*" stands for any text
    name: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")

    def named(self) -> EndpointName:
        """As the load knows it."""
        return EndpointName(match=self.match, name=self.name)
