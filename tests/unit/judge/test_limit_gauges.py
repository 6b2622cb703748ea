"""Which gauge a limit on memory, connections or the cache is held against, where several containers have one."""

from collections.abc import Sequence

import pytest

from perfci.model import Gauge, Slo, TargetHealth
from tests.builders import a_round
from tests.unit.judge.test_limits import a_gauge_of, judged, state

LEVEL = [100.0] * 60
LEAKING = [100.0 + at for at in range(60)]


def growth(metric: str, service: str = "api", **gauges: Sequence[float]) -> str:
    """What becomes of a limit of 10 % on the growth of *gauges*, of a project whose *service* is measured."""
    named: dict[str, Gauge] = {name.replace("__", "/"): a_gauge_of(points) for name, points in gauges.items()}
    target = TargetHealth(alive=True, restarts=0, service=service)
    return state(judged(a_round(gauges=named, target=target), Slo(metric=metric, limit=0.1)))


@pytest.mark.parametrize(
    ("own", "others", "verdict"), [(LEVEL, LEAKING, "held"), (LEAKING, LEVEL, "breached")], ids=["others", "own"]
)
def test_memory_is_that_of_the_service_that_is_measured(
    own: Sequence[float], others: Sequence[float], verdict: str
) -> None:
    """A database that fills its cache is no leak of the service, whatever it is called."""
    assert growth("memory_growth", service="web", a__memory=others, web__memory=own, zz__memory=others) == verdict
    assert growth("memory_growth", service="", process__memory=own, generator__memory=others) == verdict


def test_a_gauge_of_the_project_counts_before_all_others() -> None:
    """Who names a gauge `memory` says what the memory of the service is."""
    assert growth("memory_growth", api__memory=LEVEL, memory=LEAKING) == "breached"


def test_memory_of_which_nobody_noted_whose_it_is_cannot_tell() -> None:
    """Runs that were stored before the service was noted; the only container is the service."""
    assert growth("memory_growth", service="", api__memory=LEVEL, db__memory=LEAKING) == "open"
    assert growth("memory_growth", service="", api__memory=LEAKING) == "breached"


def test_each_database_counts_where_the_service_counts_no_connections_itself() -> None:
    """It is the databases that know who is connected; a leak in the second is one, too."""
    assert growth("connection_growth", accounts__connections=LEVEL, orders__connections=LEAKING) == "breached"
    assert growth("connection_growth", accounts__connections=LEVEL, orders__connections=LEVEL) == "held"


def test_the_cache_that_hits_least_counts() -> None:
    """Of two Redis servers each has to hit often enough."""
    rates = {"a/hit_rate": a_gauge_of([95.0] * 20, "%"), "b/hit_rate": a_gauge_of([40.0] * 20, "%")}
    assert state(judged(a_round(gauges=rates), Slo(metric="cache_hit_rate", limit=0.8))) == "breached"
