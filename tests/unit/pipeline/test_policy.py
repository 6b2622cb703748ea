"""What `[[gate.override]]` and the SLOs of a profile make of the default policy."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci.config import GateTable, from_bytes
from perfci.errors import ConfigError
from perfci.judge import judge
from perfci.judge.budgets import by_metric, matches, resolve
from perfci.judge.policy import DEFAULT
from perfci.metrics.registry import METRICS
from perfci.model import ALL_ENDPOINTS, Budget, Reference, Role, RoundKind, Verdict
from perfci.pipeline.policy import policy_of
from tests.builders import a_paired_run, a_subject

REF, DUET, LOAD = Reference.REF, RoundKind.DUET, RoundKind.LOAD


def table(text: str) -> GateTable:
    return GateTable.model_validate(tomllib.loads(text))


def budget(text: str, endpoint: str = "GET /a", metric: str = "service_time", *, profile: str = "shop") -> Budget:
    kind = DUET if metric == "service_time" else LOAD
    return resolve(policy_of(table(text), profile).budgets, REF, kind, METRICS[metric], endpoint)


def override(**keys: object) -> str:
    lines = [f"{key} = {value!r}".replace("'", '"') for key, value in keys.items()]
    return "\n".join(["[[override]]", *lines, ""])


def test_an_endpoint_has_a_budget_of_its_own() -> None:
    """The margin follows the change, the rest stays, and other endpoints keep theirs."""
    text = override(endpoint="GET /a", metric="service_time", change=0.1)
    usual = by_metric(DEFAULT.budgets, REF, DUET)["service_time"]
    assert budget(text) == Budget(role=usual.role, change=0.1, margin=0.2, floor=usual.floor)
    assert budget(text, "GET /b") == usual


def test_later_ones_and_those_for_an_endpoint_are_stronger() -> None:
    """All that match count; what holds for a whole metric comes first, wherever it stands."""
    text = (
        override(endpoint="GET *", metric="service_time", change=0.1, floor=1.0)
        + override(endpoint="GET /a", metric="service_time", change=0.3)
        + override(metric="service_time", change=0.5, role="guarding")
    )
    assert budget(text) == Budget(role=Role.GUARDING, change=0.3, margin=0.6, floor=1.0)
    assert budget(text, "GET /b").change == 0.1
    assert budget(text, "POST /").change == 0.5


def test_a_profile_has_budgets_and_slos_of_its_own() -> None:
    """Elsewhere they do not hold."""
    text = (
        override(profile="shop", metric="p95", role="required") + '[[slo]]\nprofile = "shop"\nmetric = "p95"\nlimit = 9'
    )
    assert budget(text, metric="p95").role is Role.REQUIRED
    assert budget(text, metric="p95", profile="other").role is by_metric(DEFAULT.budgets, REF, LOAD)["p95"].role
    assert (len(policy_of(table(text), "shop").slos), policy_of(table(text), "other").slos) == (1, ())


def test_a_metric_without_a_budget_gets_one_for_that_endpoint_only() -> None:
    """The other endpoints are shown, as if nobody had said anything."""
    text = override(endpoint="GET /a", metric="p50", kind="duet", role="guarding", change=0.2)
    rules = policy_of(table(text)).budgets
    assert "p50" in by_metric(rules, REF, DUET)
    assert resolve(rules, REF, DUET, METRICS["p50"], "GET /a").role is Role.GUARDING
    assert resolve(rules, REF, DUET, METRICS["p50"], "GET /b").role is Role.ADVISORY


def test_a_silenced_endpoint_turns_nothing_red() -> None:
    """Twice as slow, and shown only."""
    run = a_paired_run(typical={"GET /a": 9.0, "GET /b": 8.0, "GET /c": 7.0, "GET /d": 6.0}, slower={"GET /a": 1.2})

    def verdict(text: str) -> Verdict:
        return judge(run, baseline=None, policy=policy_of(table(text)), subject=a_subject()).verdict

    assert verdict("") is Verdict.REGRESSION
    allowed = override(metric="service_time", endpoint=ALL_ENDPOINTS, change=0.1)
    allowed += override(metric="trimmed_gmean", endpoint=ALL_ENDPOINTS, change=0.1)
    assert verdict(override(endpoint="GET /a", role="advisory") + allowed) is Verdict.PASS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (override(endpoint="GET /a"), "says nothing"),
        (override(endpoint="GET /a", change=0.1), "needs a metric"),
        (override(role="guarding"), "needs a metric"),
        (override(endpoint="", role="advisory"), "at least 1 character"),
    ],
)
def test_an_override_that_means_nothing_is_refused(text: str, message: str) -> None:
    """At once, and by name."""
    with pytest.raises(ValueError, match=message):
        table(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (override(metric="p94", change=0.1), "unknown metrics: p94"),
        (override(metric="throughput", kind="duet", change=0.1), "override 1: no such round measures throughput"),
        (
            override(metric="throughput", endpoint="GET /a", change=0.1),
            "throughput of GET /a is shown, but never counts",
        ),
        (override(metric="failure_rate", endpoint=ALL_ENDPOINTS, role="guarding"), "is shown, but never counts"),
    ],
)
def test_an_override_that_could_never_count_is_refused(text: str, message: str) -> None:
    """It would be a check that cannot fail."""
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        policy_of(table(text))


def test_a_profile_that_does_not_exist_is_named() -> None:
    """With those that do."""
    text = (
        '[target]\nkind = "command"\ncommand = ["x"]\n'
        '[profiles.shop]\nlocustfile = "x.py"\n[profiles.shop.scenarios.a]\n'
        '[[gate.slo]]\nprofile = "shpo"\nmetric = "p95"\nlimit = 1'
    )
    with pytest.raises(ConfigError, match=r"unknown profiles: shpo; the profiles are: shop"):
        from_bytes(text.encode(), where="perfci.toml")


TEXTS = st.text("ab/*", max_size=8)


@given(TEXTS, st.lists(st.text("ab/", max_size=3), min_size=1, max_size=4))
def test_a_star_is_any_text(anything: str, parts: list[str]) -> None:
    """What a pattern was made from matches it, and a name without stars only itself."""
    pattern = "*".join(parts)
    assert matches(pattern, "".join(parts))
    assert matches(f"*{parts[0]}*", anything + parts[0] + anything)
    assert matches(anything.replace("*", ""), anything) == ("*" not in anything)


@pytest.mark.parametrize(
    ("pattern", "endpoint"),
    [("a*", "ba"), ("*a", "ab"), ("ab*ba", "aba"), ("a*b*c", "acb"), ("GET [id]", "GET i"), ("*", ALL_ENDPOINTS)],
)
def test_what_a_pattern_does_not_name(pattern: str, endpoint: str) -> None:
    """Its ends are fixed, its parts do not overlap, brackets are brackets, and all together are no endpoint."""
    assert not matches(pattern, endpoint)


LIMITS = """
[groups]
auth = ["POST /auth/*"]
[[slo]]
metric = "p95"
limit = 500
[[slo]]
metric = "p95"
limit = 200
profile = "shop"
scenario = "smoke"
[[slo]]
metric = "p95"
limit = 1000
importance = "important"
[[slo]]
metric = "recovery"
limit = 60
profile = "shop"
[[slo]]
metric = "success_rate"
limit = 0.99
group = "auth"
phase = "spike"
"""


@pytest.mark.parametrize(
    ("profile", "scenario", "limits"),
    [
        ("shop", "smoke", [200, 1000, 60, 0.99]),
        ("shop", "peak", [500, 1000, 60, 0.99]),
        ("other", "smoke", [500, 1000, 0.99]),
    ],
)
def test_the_narrower_limit_takes_the_place_of_the_wider(profile: str, scenario: str, limits: list[float]) -> None:
    """Of one importance; one that only warns stands beside it."""
    slos = policy_of(table(LIMITS), profile, scenario).slos
    assert [slo.limit for slo in slos] == limits
    assert (slos[-1].where, slos[-1].members) == ("(auth) in spike", ("POST /auth/*",))


PATTERNS = """
[[slo]]
metric = "p95"
limit = 500
profile = "shop"
[[slo]]
metric = "p95"
limit = 300
profile = "shop"
scenario = "peak*"
[[slo]]
metric = "p95"
limit = 200
profile = "shop"
scenario = ["soak", "peak-smoke"]
"""


@pytest.mark.parametrize(
    ("scenario", "limit"), [("normal", 500), ("peak", 300), ("peak-large", 300), ("peak-smoke", 200), ("soak", 200)]
)
def test_a_limit_names_its_scenarios_by_patterns_and_lists(scenario: str, limit: float) -> None:
    """A name counts instead of a pattern, and a pattern instead of the whole profile."""
    (slo,) = policy_of(table(PATTERNS), "shop", scenario).slos
    assert slo.limit == limit


def test_two_patterns_with_one_scenario_in_common_contradict_each_other_there() -> None:
    """Nobody could say which of the two limits counts."""
    more = '[[slo]]\nmetric = "p95"\nlimit = 1\nprofile = "shop"\nscenario = "*-large"'
    policy_of(table(PATTERNS + more), "shop", "peak")
    with pytest.raises(ConfigError, match="2 limits on p95"):
        policy_of(table(PATTERNS + more), "shop", "peak-large")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[slo]]\nmetric = "p95"\nlimit = 1\ngroup = "auth"', "slo names unknown groups: auth"),
        ('[[slo]]\nmetric = "p95"\nlimit = 1\nscenario = "smoke"', "give its profile, too"),
        ('[[slo]]\nmetric = "p95"\nlimit = 1\nuser = "Buyer"', "give its profile, too"),
        ('[[slo]]\nmetric = "p95"\nlimit = 1\nprofile = "a"\nuser = "Buyer"\nphase = "b"', "give one of them"),
        ('[[slo]]\nmetric = "p95"\nlimit = 1\nprofile = "a"\nuser = "Buy er"', "should match pattern"),
        ('groups.a = ["*"]\n[[slo]]\nmetric = "p95"\nlimit = 1\ngroup = "a"\nendpoint = "GET /"', "give one of them"),
    ],
)
def test_limits_on_nothing_are_refused(text: str, message: str) -> None:
    """A group or a scenario that is nowhere, and two places at once."""
    with pytest.raises(ValueError, match=message):
        table(text)


def test_a_limit_on_a_class_of_users_is_one_of_its_own() -> None:
    """It stands beside that of all users; what is not known of one class is refused."""
    both = (
        '[[slo]]\nmetric = "p95"\nlimit = 500\n[[slo]]\nmetric = "p95"\nlimit = 200\nprofile = "shop"\nuser = "Buyer"'
    )
    assert [(slo.limit, slo.user) for slo in policy_of(table(both), "shop", "peak").slos] == [(500, ""), (200, "Buyer")]
    with pytest.raises(
        ConfigError, match="slo on recovery of Buyer: of a user class there are failure_rate, max, mean"
    ):
        policy_of(table('[[slo]]\nmetric = "recovery"\nlimit = 1\nprofile = "shop"\nuser = "Buyer"'), "shop", "peak")


def test_a_limit_throughout_a_round_stands_beside_that_on_the_whole() -> None:
    """It is on all requests together, of metrics that a window has."""
    both = '[[slo]]\nmetric = "p95"\nlimit = 500\nthroughout = "1m"\n[[slo]]\nmetric = "p95"\nlimit = 200'
    policy = policy_of(table(both), "shop", "soak")
    assert [(slo.limit, slo.throughout_s, slo.whole) for slo in policy.slos] == [(500, 60, False), (200, 0, True)]
    with pytest.raises(ConfigError, match="slo on mean throughout a round: of its windows there are failure_rate, p50"):
        policy_of(table('[[slo]]\nmetric = "mean"\nlimit = 1\nthroughout = "1m"'), "shop", "soak")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ('throughout = "4s"', "greater than or equal to 5"),
        ('throughout = "1m"\nendpoint = "GET /"', "no endpoint, group, user or phase"),
        ('throughout = "1m"\nphase = "spike"', "no endpoint, group, user or phase"),
        ('throughout = "1m"\nprofile = "shop"\nuser = "Buyer"', "no endpoint, group, user or phase"),
    ],
)
def test_windows_too_short_or_of_a_part_of_the_load_are_refused(more: str, message: str) -> None:
    """A window has all requests of at least five seconds."""
    with pytest.raises(ValueError, match=message):
        table(f'[[slo]]\nmetric = "p95"\nlimit = 500\n{more}')
