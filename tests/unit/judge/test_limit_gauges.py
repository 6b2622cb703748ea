"""Which gauge a limit on memory, connections or the cache is held against, where several containers have one."""

import random
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


LOSS = Slo(metric="cache_hit_loss", limit=0.2)


def hit_rates(seed: int, fall: float = 0.0, *, at: int = 0, points: int = 40, scatter: float = 4.0) -> list[float]:
    """The hit rate by the second: 90 %, and *fall* points less from *at* on, or evenly by the end where that is 0."""
    rng = random.Random(seed)
    falls = [fall * (second >= at if at else second / points) for second in range(points)]
    return [min(100.0, max(0.0, rng.gauss(90.0 - 100 * lost, scatter))) for lost in falls]


@pytest.mark.parametrize(
    ("fall", "at", "verdict"), [(0.0, 0, "held"), (0.6, 0, "breached"), (0.9, 20, "breached"), (0.9, 28, "breached")]
)
def test_a_cache_that_stops_hitting_is_found(fall: float, at: int, verdict: str) -> None:
    """Evenly, or from one moment to the next up to a good two thirds of the round; 40 of each, and 40 quiet without."""
    gauges = [{"cache-hit-rate": a_gauge_of(hit_rates(seed, fall, at=at), "%")} for seed in range(40)]
    assert [state(judged(a_round(gauges=each), LOSS)) for each in gauges] == [verdict] * 40


def test_a_cache_that_warms_up_loses_nothing() -> None:
    """Hits that become more are no loss, and shares are read as percents are."""
    warming = [0.5 + at / 100 for at in range(40)]
    assert state(judged(a_round(gauges={"cache-hit-rate": a_gauge_of(warming, "")}), LOSS)) == "held"


def test_a_cache_that_hits_evenly_at_first_is_judged_without_a_warning() -> None:
    """SciPy's test warns of lost precision where the values of one part are all the same; a user would read that."""
    even_at_first = [97.00000001] * 27 + hit_rates(1, points=13)
    assert state(judged(a_round(gauges={"cache-hit-rate": a_gauge_of(even_at_first, "%")}), LOSS)) == "held"


def open_connections(seed: int, *, lost_every_s: int = 0, later: int = 0) -> list[float]:
    """A pool of about eight, by the second; of it one is lost every so many seconds, and one opened *later*."""
    rng = random.Random(seed)
    lost = [at // lost_every_s if lost_every_s else 0 for at in range(45)]
    return [8.0 + rng.choice((-1, 0, 0, 1)) + lost[at] + (1 if later and at >= later else 0) for at in range(45)]


@pytest.mark.parametrize(("lost_every_s", "found"), [(0, False), (5, True)])
def test_connections_that_are_lost_are_found(lost_every_s: int, found: bool) -> None:
    """Of 40 rounds of 45 s that lose one of eight every five seconds, each; of 40 that lose none, none."""
    limit = Slo(metric="connection_growth", limit=0.25)
    gauges = [a_gauge_of(open_connections(seed, lost_every_s=lost_every_s), "") for seed in range(40)]
    results = [state(judged(a_round(gauges={"connections": each}), limit)) for each in gauges]
    assert results.count("breached") == (40 if found else 0)


def test_a_connection_that_is_opened_late_is_none_that_is_lost() -> None:
    """A pool opens its last one when so many requests first come at once."""
    limit = Slo(metric="connection_growth", limit=0.25)
    gauges = [a_gauge_of(open_connections(seed, later=25), "") for seed in range(40)]
    assert "breached" not in [state(judged(a_round(gauges={"connections": each}), limit)) for each in gauges]
