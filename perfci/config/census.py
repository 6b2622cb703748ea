"""`[census]` in `perfci.toml`: how perfci counts the target's work."""

from typing import Literal

from pydantic import Field

from perfci.config.values import Duration, Name
from perfci.schema import Table


class PrometheusTable(Table):
    """Counters that the service publishes itself."""

    path: str = Field("/metrics", pattern=r"^(/.*)?$")  # empty: not asked for
    names: tuple[str, ...] = ()  # empty: every counter that stands still while nothing is asked


class CensusTable(Table):
    """How perfci counts the target's work."""

    enabled: Literal["auto", "off"] = "auto"  # auto: where there is something that counts
    requests: int = Field(20, ge=2, le=10_000)  # of each endpoint, the first visit apart
    seconds: Duration = 15.0  # after which it ends, whatever was seen
    headers: tuple[str, ...] = ()  # of the answers, whose numbers count, beside Server-Timing
    exclude: tuple[str, ...] = ()  # sources that are not opened, by name or kind
    prometheus: PrometheusTable = PrometheusTable()
    databases: dict[Name, str] = {}  # address by name, of databases and caches outside of a compose project
