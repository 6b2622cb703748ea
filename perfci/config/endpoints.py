"""`[[endpoints]]` in `perfci.toml`: the project's own names for endpoints."""

from pydantic import Field

from perfci.model import EndpointName
from perfci.schema import Table


class EndpointTable(Table):
    """A name for endpoints, and the pattern of those that have it."""

    match: str = Field(min_length=1, max_length=500)  # a pattern: "*" stands for any text
    name: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")

    def named(self) -> EndpointName:
        """Convert to the entry that the load generator matches names against."""
        return EndpointName(match=self.match, name=self.name)
