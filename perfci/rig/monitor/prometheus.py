"""Reads gauges of the project from a Prometheus server, by queries to its HTTP API, version 1."""

import json
from collections.abc import Iterator
from time import monotonic
from typing import Any

from perfci.errors import MonitorError
from perfci.rig.monitor.asking import Asker
from perfci.rig.monitor.options import GaugeOptions
from perfci.rig.monitor.page import number
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source

KIND = "prometheus"


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source for every query."""
    for name, gauge in scene.settings.gauges.items():
        if gauge.prometheus and scene.wants(name, KIND):
            yield Query(name, gauge)


class Query:
    """The gauge that one query gives."""

    every_s = ASKED_S

    def __init__(self, gauge: str, options: GaugeOptions) -> None:
        self.name = gauge
        self._options = options
        self._asker = Asker()

    def read(self) -> Readings:
        """Send the query, whose result must be a single number."""
        options = self._options
        body = self._asker.ask(f"{options.prometheus.rstrip('/')}/api/v1/query", parameters={"query": options.query})
        per = monotonic() if options.rate else None
        return {self.name: Reading(value=answered(body), unit=options.unit, per=per)}

    def close(self) -> None:
        """Close the connection."""
        self._asker.close()


def answered(body: bytes) -> float:
    """The number in the result of an instant query: a scalar, or a vector of one series."""
    try:
        data: Any = json.loads(body)["data"]
        kind, result = data["resultType"], data["result"]
        if kind == "vector" and len(result) != 1:
            raise MonitorError(f"the query gives {len(result)} series: let it give one, by sum() or a label")
        pair = result[0]["value"] if kind == "vector" else result
        value = pair[1]
    except (ValueError, LookupError, TypeError):
        raise MonitorError("the answer is none of a Prometheus server's") from None
    return number(value, "what the query gives")
