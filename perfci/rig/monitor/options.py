"""The options of [monitor], with the project's own gauges."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from pydantic import Field, field_validator, model_validator

from perfci import schema
from perfci.errors import ConfigError
from perfci.rig.host import hosts
from perfci.schema import Table


class GaugeOptions(Table):
    """`[monitor.gauges.NAME]`: a number on a page, or the answer of a Prometheus server."""

    url: str = Field("", pattern=r"^(/.*|https?://.*)?$")  # a path of the service, or an address
    pointer: str | None = Field(None, pattern=r"^(/.*)?$")  # RFC 6901, where the page is JSON
    metric: str = ""  # name{label="value"}, where it has the format of Prometheus
    prometheus: str = Field("", pattern=r"^(https?://.*)?$")  # address of a server
    query: str = ""  # in PromQL, for one number
    rate: bool = False  # a counter: its increase per second
    per: str = ""  # pointer or metric of another counter of the same page: the increase for each one of that
    unit: str = Field("", pattern=r"^[\w %/°²³·.-]{0,12}$")

    @field_validator("url", "prometheus")
    @classmethod
    def _usable(cls, url: str) -> str:
        if "://" in url:
            hosts.split(url)
        return url

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.per and (self.rate or not self.url):
            raise ValueError("per is another counter of the page at url, and no rate in time: leave rate out")
        page = bool(self.url) and (self.pointer is not None) != bool(self.metric)
        if self.prometheus and self.query and not (self.url or self.pointer is not None or self.metric):
            return self
        if not page or self.prometheus or self.query:
            raise ValueError("give url with pointer or metric, or prometheus with query")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the monitor."""

    enabled: bool = True
    exclude: tuple[str, ...] = ()  # names and kinds of sources that are not opened
    gauges: Mapping[str, GaugeOptions] = field(default_factory=dict)
    availability: str = ""  # a path of the service that is asked five times a second; empty: nothing is asked


OFF = Settings(enabled=False)
"""The settings of a monitor that reads nothing."""


def parse(
    gauges: Mapping[str, Mapping[str, Any]],
    *,
    where: str,
    enabled: bool = True,
    exclude: tuple[str, ...] = (),
    allow_hosts: Collection[str] = (),
    availability: str = "",
) -> Settings:
    """Parse `[monitor]`; ConfigError names what cannot be used, and hosts that perfci may not send requests to."""
    parsed = schema.parse(dict[str, GaugeOptions], dict(gauges), where=where)
    for name, options in parsed.items():
        for url in (options.url, options.prometheus):
            if "://" in url and not hosts.allowed(url, allow_hosts):
                host = hosts.split(url).hostname
                raise ConfigError(f"{where} cannot be used:\n  {name}: {host} is not this machine", hint=_ALLOW)
    return Settings(enabled=enabled, exclude=exclude, gauges=parsed, availability=availability)


_ALLOW = "list the host in allow_hosts of [monitor] if perfci may ask it, or give a path of the service"
