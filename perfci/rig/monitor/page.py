"""
Gauges of the project's own: numbers on a page, as JSON or in the format of Prometheus and OpenMetrics.

A page is asked for once, however many gauges are on it. Where the service itself serves it, asking is work of the
service: the same on both sides.
"""

import json
import re
from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

from perfci.errors import MonitorError, PerfciError
from perfci.rig.host import hosts
from perfci.rig.host.tls import Verify
from perfci.rig.monitor.asking import Asker
from perfci.rig.monitor.options import GaugeOptions
from perfci.rig.monitor.source import ASKED_S, Missing, Reading, Readings, Scene, Source

KIND = "page"
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:.]*")


def find(scene: Scene) -> Iterator[Source | Missing]:
    """Open a source for every page that has gauges."""
    pages: dict[str, dict[str, GaugeOptions]] = {}
    for name, gauge in scene.settings.gauges.items():
        if gauge.url and scene.wants(name, KIND):
            pages.setdefault(gauge.url, {})[name] = gauge
    for url, gauges in pages.items():
        if url.startswith("/"):
            yield Page(hosts.below(scene.running.base_url, url), gauges, verify=scene.running.verify)
        else:
            yield Page(url, gauges)


class Page:
    """The gauges on the page at one address."""

    every_s = ASKED_S

    def __init__(self, url: str, gauges: Mapping[str, GaugeOptions], *, verify: Verify = True) -> None:
        self.name = ", ".join(gauges)
        self._url = url
        self._gauges = gauges
        self._asker = Asker(verify=verify)

    def read(self) -> Readings:
        """The gauges on the page; MonitorError where it cannot be read."""
        body = self._asker.ask(self._url).decode("utf-8", errors="replace")
        now_s = monotonic()
        return {name: _reading(body, gauge, now_s) for name, gauge in self._gauges.items()}

    def close(self) -> None:
        """Close the connection."""
        self._asker.close()


def _reading(body: str, gauge: GaugeOptions, now_s: float) -> Reading | PerfciError:
    try:
        value = pointed(body, gauge.pointer) if gauge.pointer is not None else summed(body, gauge.metric)
        per = now_s if gauge.rate else None
        if gauge.per:
            per = pointed(body, gauge.per) if gauge.pointer is not None else summed(body, gauge.per)
    except MonitorError as error:
        return error
    return Reading(value=value, unit=gauge.unit, per=per)


def pointed(body: str, pointer: str) -> float:
    """The number at a JSON pointer (RFC 6901)."""
    try:
        value: Any = json.loads(body)
    except (ValueError, RecursionError):
        raise MonitorError("the answer is not JSON") from None
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (LookupError, TypeError, ValueError):
            raise MonitorError(f"nothing is at {pointer} in the answer") from None
    return number(value, f"what is at {pointer}")


def number(value: object, what: str) -> float:
    """*value*, a number or the text of one, as a finite number."""
    try:
        found = float(value) if isinstance(value, int | float | str) else float("nan")
    except (ValueError, OverflowError):
        found = float("nan")
    if not abs(found) < 1e300:
        raise MonitorError(f"{what} is not a number ({str(value)[:60]!r})")
    return found


def summed(body: str, metric: str) -> float:
    """The sum of all samples with the name of *metric* and at least its labels."""
    from prometheus_client.parser import text_string_to_metric_families as families

    name = _NAME.match(metric)
    if name is None:
        raise MonitorError(f"{metric!r} is not the name of a metric")
    own = [line for line in body.splitlines() if (found := _NAME.match(line)) and found[0] == name[0]]
    try:
        (wanted,) = (sample for family in families(f"{metric} 0\n") for sample in family.samples)
        samples = [sample for family in families("\n".join([*own, ""])) for sample in family.samples]
    except ValueError as error:
        raise MonitorError(f"{metric} cannot be read from the answer: {str(error)[:200]}") from None
    values = [sample.value for sample in samples if wanted.labels.items() <= sample.labels.items()]
    if not values:
        raise MonitorError(f"the answer has no {metric}")
    return number(sum(values), metric)
