"""
Counters that the service publishes itself, in the formats of Prometheus and OpenMetrics.

Asking for them is a request to the service like any other. What moves by being asked alone is therefore left out, and
so is what moves with time: processor seconds, garbage collections. What counts requests by route says nothing new.
"""

import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from perfci.errors import CensusError
from perfci.model import CounterSource
from perfci.rig.census.source import Scene, Snapshot, Source
from perfci.rig.host import hosts
from perfci.rig.host.tls import Verify

KIND = "prometheus"
NAME = "metrics"
ANSWER_S = 5.0
IDLE_S = 0.1  # between the reads that show what moves by itself
MOST_BYTES = 8_000_000
MOST_COUNTERS = 200
MORE_EXACT = frozenset({"postgresql", "mysql", "redis"})  # a service mostly counts what these count as well
ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"

_OF_TIME = re.compile(r"(^|_)seconds(_|$)|_created$|^(process|python|go|jvm|nodejs|dotnet|promhttp|scrape)_")
_OF_REQUESTS = frozenset({"route", "path", "handler", "endpoint", "url", "uri", "status", "status_code", "code"})
_BY_ROUTE = re.compile(rf'[{{,](?:{"|".join(sorted(_OF_REQUESTS))})="')  # a quote within a value is written \"


def find(scene: Scene) -> Iterator[Source | CounterSource]:
    """Open a source where the service has a page of metrics."""
    path = scene.settings.metrics_path
    if not path or not scene.wants(NAME, KIND):
        return
    if not scene.settings.metrics_names and scene.found & MORE_EXACT:
        others = " and ".join(sorted(scene.found & MORE_EXACT))
        why = f"not asked: {others} tell more, and each read is a request; names in [census.prometheus] make them count"
        yield CounterSource(name=NAME, kind=KIND, found=False, note=why)
        return
    source = Prometheus(
        hosts.below(scene.running.base_url, path),
        names=frozenset(scene.settings.metrics_names),
        verify=scene.running.verify,
    )
    try:
        source.calibrate()
    except CensusError as error:
        source.close()
        yield CounterSource(name=NAME, kind=KIND, found=False, note=str(error))
        return
    yield source


class Prometheus:
    """The metrics page of one service."""

    name = NAME
    kind = KIND
    loud = True

    def __init__(self, url: str, *, names: frozenset[str] = frozenset(), verify: Verify = True) -> None:
        self.note = ""
        self._url = url
        self._names = names
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify
        self._restless: frozenset[str] = frozenset()

    def calibrate(self, *, sleep: Callable[[float], None] = time.sleep) -> None:
        """Find the counters that move without requests; CensusError where no other is left to count."""
        first = self._totals()
        sleep(IDLE_S)
        second = self._totals()
        third = self._totals()
        moving = {name for name in third if len({first.get(name), second.get(name), third[name]}) > 1}
        self._restless = frozenset(moving)
        left = sorted(set(third) - moving)
        missing = sorted(self._names - {_family(name) for name in left})
        if missing:
            raise CensusError(
                f"{self._url} has no counter {', '.join(missing)} that stands still while nothing is asked"
            )
        if not left:
            raise CensusError(f"{self._url} has no counters that stand still while nothing is asked")
        if len(left) > MOST_COUNTERS:
            raise CensusError(f"{self._url} has {len(left)} counters: name those that count in [census.prometheus]")
        if moving and self._names:
            self.note = f"not counted, because they move by themselves: {', '.join(sorted(moving))[:300]}"

    def ask(self) -> None:
        """Do nothing: a read needs no preparation."""

    def read(self) -> Snapshot:
        """Read each series, by its name and labels as the page writes them."""
        return Snapshot(counters={name: value for name, value in self._totals().items() if name not in self._restless})

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def _totals(self) -> dict[str, float]:
        try:
            return parse(*self._page(), names=self._names)
        except (requests.RequestException, ValueError) as error:
            raise CensusError(f"{self._url} shows no counters: {str(error)[:200]}") from None

    def _page(self) -> tuple[str, str]:
        with self._session.get(
            self._url, headers={"Accept": ACCEPT}, timeout=ANSWER_S, allow_redirects=False, stream=True
        ) as answer:
            if answer.status_code != 200:
                raise ValueError(f"it answers with status {answer.status_code}")
            body = b""
            for piece in answer.iter_content(1 << 16):
                body += piece
                if len(body) > MOST_BYTES:
                    raise ValueError(f"it is larger than {MOST_BYTES} bytes")
            return body.decode("utf-8", errors="replace"), answer.headers.get("content-type", "")


def parse(text: str, kind: str, *, names: frozenset[str] = frozenset()) -> dict[str, float]:
    """Parse the counters and the counts of histograms of a page; ValueError where it is no page of metrics."""
    read: Any = openmetrics if "openmetrics" in kind else plain
    found = {}
    for family in read(_shortened(text, of_requests=bool(names))):
        for sample in family.samples:
            if _counts(family.type, sample, names):
                labels = ",".join(f'{key}="{value}"' for key, value in sorted(sample.labels.items()))
                found[f"{sample.name}{{{labels}}}" if labels else sample.name] = float(sample.value)
    return found


def _shortened(text: str, *, of_requests: bool) -> str:
    """
    *text* without what is most of it and never counts, which takes most of the time to parse.

    The last bucket stays, because a histogram must have it; counts by route stay where *of_requests* are wanted.
    """
    lines = (line for line in text.splitlines(True) if "_bucket{" not in line or 'le="+Inf"' in line)
    return "".join(line for line in lines if of_requests or line.startswith("#") or not _BY_ROUTE.search(line))


def _counts(kind: str, sample: Any, names: frozenset[str]) -> bool:
    of_histogram = kind in {"histogram", "summary"} and sample.name.endswith("_count")
    of_counter = kind == "counter" and not sample.name.endswith("_created")
    if not of_histogram and not of_counter:
        return False
    if names:
        return sample.name in names
    return not _OF_REQUESTS & set(sample.labels) and not (of_counter and _OF_TIME.search(sample.name))


def _family(name: str) -> str:
    return name.partition("{")[0]
