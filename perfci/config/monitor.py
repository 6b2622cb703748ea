"""`[monitor]` in `perfci.toml`: what is monitored while the target is under load, and the alerts on it."""

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from perfci.config.values import Duration, Name, first_given
from perfci.model import Alert, Severity
from perfci.schema import Table


class AlertTable(Table):
    """A limit on a monitored gauge."""

    name: Name
    gauge: str = Field(min_length=1, max_length=200)
    above: float | None = None  # one of the two, in the gauge's unit
    below: float | None = None
    seconds: Duration = 5.0  # of measured time in a row beyond it
    severity: Severity = Severity.WARN
    profile: Name | None = None

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        if (self.above is None) == (self.below is None):
            raise ValueError("needs one limit: above or below")
        return self

    def alert(self) -> Alert:
        """Convert to the judge's alert."""
        return Alert(
            name=self.name,
            gauge=self.gauge,
            limit=first_given(self.above, self.below),
            upper=self.above is not None,
            seconds=self.seconds,
            severity=self.severity,
        )


class MonitorTable(Table):
    """How the target is monitored under load. Alerts are policy, and read from the base commit."""

    enabled: Literal["auto", "off"] = "auto"
    exclude: tuple[str, ...] = ()  # sources that are not read, by name or kind
    allow_hosts: tuple[str, ...] = ()  # beside this machine, that may be asked for gauges
    availability: str = Field("", pattern=r"^(/.*)?$")  # a path of the service that is asked five times a second
    gauges: dict[Name, dict[str, Any]] = {}
    alert: tuple[AlertTable, ...] = ()
