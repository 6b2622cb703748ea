"""What `perfci.toml` may say, and what is said about what it may not."""

import math
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perfci import config
from perfci.config import Against, BlocksTable, BudgetTable, Config, GateTable, from_bytes, locust_options
from perfci.errors import ConfigError, ExitCode
from perfci.judge.budgets import by_metric, resolve
from perfci.judge.policy import DEFAULT
from perfci.metrics.registry import METRICS
from perfci.model import ALL_ENDPOINTS, Arrivals, Budget, Reference, Role, RoundKind, Slo, Stage
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Overrides, plan_of
from perfci.pipeline.policy import policy_of
from tests.builders import a_budget, a_rule

SMALL = """
[target]
kind = "command"
[profiles.tickets]
locustfile = "tickets.py"
[profiles.tickets.scenarios.smoke]
[profiles.tickets.scenarios.soak]
users = 100
"""
WEEK_S = 7 * 86400
UNITS = {"": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3600}


def _parsed(text: str) -> Config:
    return from_bytes(text.encode(), where="perfci.toml")


def _refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        _parsed(text)
    assert caught.value.exit_code is ExitCode.USAGE
    return str(caught.value)


@pytest.mark.parametrize(
    ("addition", "place"),
    [
        ("user = 3", "profiles.tickets.scenarios.soak.user"),
        ("paired = { block = 4 }", "profiles.tickets.scenarios.soak.paired.block"),
        ("[profiles.tickets.scenarios.soak.baseline]\nruns = 4", "profiles.tickets.scenarios.soak.baseline.runs"),
        ("[gates]\nalpha = 0.05", "gates"),
        ("[gate]\nslos = []", "gate.slos"),
        ("[gate.budget.ref.duet.service_time]\nchanges = 0.1", "gate.budget.ref.duet.service_time.changes"),
        ('[[gate.slo]]\nmetric = "p95"\nlimit = 1\nendpoints = "x"', "gate.slo.0.endpoints"),
        ("[environments.ci]\nprofiles = {}", "environments.ci.profiles"),
    ],
)
def test_an_unknown_key_is_named_with_its_place(addition: str, place: str) -> None:
    """A slip of the pen is no setting that silently does nothing."""
    assert _refused(SMALL + addition) == f"perfci.toml cannot be used:\n  {place}: unknown key"


def test_all_problems_are_told_at_once() -> None:
    """Who has made three mistakes needs one attempt, not three."""
    message = _refused(
        '[profiles.tickets]\nlocustfile = 3\n[profiles.tickets.scenarios.smoke]\nusers = 0\nduration = "soon"'
    )
    assert message.splitlines()[0] == "perfci.toml cannot be used, for 4 reasons:"
    places = {line.split(":")[0].strip() for line in message.splitlines()[1:]}
    scenario = "profiles.tickets.scenarios.smoke"
    assert places == {"target", "profiles.tickets.locustfile", f"{scenario}.users", f"{scenario}.duration"}


def test_a_flood_of_problems_is_cut_off_and_counted() -> None:
    """A hundred unknown keys do not fill the screen."""
    lines = _refused("".join(f"key{number} = 1\n" for number in range(100)) + SMALL).splitlines()
    assert len(lines) == 22
    assert lines[0] == "perfci.toml cannot be used, for 100 reasons:"
    assert lines[-1] == "  ... and 80 more"


@pytest.mark.parametrize(
    ("addition", "place", "evidence"),
    [
        ('users = "many"', "users", "'many'"),
        ("users = 0", "users", "got 0"),
        ("users = 100001", "users", "got 100001"),
        ("users = 1.5", "users", "1.5"),
        ("spawn_rate = 0", "spawn_rate", "got 0"),
        ("spawn_rate = nan", "spawn_rate", "nan"),
        ("spawn_rate = inf", "spawn_rate", "inf"),
        ("duration = true", "duration", "True"),
        ('duration = "-3s"', "duration", "'-3s'"),
        ("environment = { A = 1 }", "environment.A", "got 1"),
        ("tags = 'slow'", "tags", "'slow'"),
        ("paired = { blocks = 1 }", "paired.blocks", "got 1"),
        ("baseline = { rounds = 0 }", "baseline.rounds", "got 0"),
        ("arrivals = { rate = 0 }", "arrivals.rate", "got 0"),
        ("arrivals = { rate = 5, pattern = 'bursts' }", "arrivals.pattern", "'bursts'"),
    ],
)
def test_wrong_values_are_told_with_their_evidence(addition: str, place: str, evidence: str) -> None:
    """The place, what is wrong, and what was given."""
    text = SMALL.replace("users = 100\n", "") + addition
    head, line = _refused(text).splitlines()
    assert head == "perfci.toml cannot be used:"
    assert line.startswith(f"  profiles.tickets.scenarios.soak.{place}: ")
    assert evidence in line


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('fail_on = "always"', "fail_on"),
        ('against = "main"', "against"),
        ("rng_seed = -1", "rng_seed"),
        ("[gate]\nalpha = 0.5", "gate.alpha"),
        ("[gate]\nalpha = 0", "gate.alpha"),
        ("[gate]\nconfidence = 95", "gate.confidence"),
        ("[gate]\nmin_requests = 0", "gate.min_requests"),
        ("[gate.budget.ref.duet.service_time]\nchange = -0.1", "gate.budget.ref.duet.service_time.change"),
        ('[gate.budget.ref.duet.service_time]\nrole = "decide"', "gate.budget.ref.duet.service_time.role"),
        ("[gate.budget.branch.duet.service_time]\nchange = 0.1", "gate.budget.branch.[key]"),
        ('[[gate.slo]]\nmetric = "p95"', "gate.slo.0.limit"),
        ("[profiles.'Bad Name']\nlocustfile = 'x'\nscenarios.a = {}", "profiles.Bad Name.[key]"),
        ("[profiles.empty]\nlocustfile = 'x'\nscenarios = {}", "profiles.empty.scenarios"),
    ],
)
def test_values_outside_their_range_are_refused(text: str, place: str) -> None:
    """Each limit of the policy is held."""
    separate = text.startswith("[")
    assert f"  {place}: " in _refused(SMALL + text if separate else text + SMALL)


@given(st.floats(0, WEEK_S), st.sampled_from(list(UNITS)), st.sampled_from(["", " ", "\t"]))
def test_a_duration_is_read_back(seconds: float, unit: str, space: str) -> None:
    """Text in any unit gives the seconds that it was written from; the number itself is taken as it is."""
    written = f"{seconds / UNITS[unit]:.9f}{space}{unit}{space}"
    assert math.isclose(config.seconds(written), seconds, rel_tol=1e-9, abs_tol=1e-5)
    assert config.seconds(seconds) == seconds


@given(
    st.one_of(
        st.from_regex(r"\A[0-9]{1,4}(\.[0-9]{1,3})?\Z").map(lambda text: f"-{text}s"),
        st.sampled_from(
            ["", " ", "s", ".5s", "1.s", "1e3", "1,5s", "1s30", "1h30m", "s1", "0x10", "1 2", "inf", "nan"]
        ),
        st.text(alphabet="smhdwy.-+e_,", max_size=6),
        st.floats(max_value=-1e-9, allow_nan=False),
        st.floats(min_value=WEEK_S, exclude_min=True, allow_nan=False),
        st.just(math.nan),
        st.sampled_from([True, False, None, b"1s", [1], {"s": 1}, "8d", "169h", "9" * 400]),
    )
)
def test_a_bad_duration_is_refused(value: Any) -> None:
    """Negative, endless, without a number, in two units, of another type: a ValueError, which becomes a ConfigError."""
    with pytest.raises(ValueError, match=r"^a duration "):
        config.seconds(value)


def test_the_defaults_are_enough() -> None:
    """Target, profile and scenario are all that a file must name."""
    parsed = _parsed(SMALL)
    assert parsed.seed == {"kind": "none"}
    profile, scenario, _, settings = parsed.find("tickets")
    assert (profile, scenario) == ("tickets", "smoke")
    assert settings.rate() == settings.users / 2
    assert parsed.find("tickets:soak")[3].users == 100
    assert settings.model_copy(update={"users": 10_000, "processes": 2}).rate() == 1000
    assert parsed.find("tickets:") == parsed.find("tickets")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("ticket", "no profile 'ticket'", "the profiles are: tickets"),
        ("", "no profile ''", "the profiles are: tickets"),
        (":smoke", "no profile ''", "the profiles are: tickets"),
        ("tickets:stress", "profile 'tickets' has no scenario 'stress'", "its scenarios are: smoke, soak"),
        ("tickets:smoke:x", "profile 'tickets' has no scenario 'smoke:x'", "its scenarios are: smoke, soak"),
    ],
)
def test_unknown_profiles_and_scenarios_list_the_known(name: str, message: str, hint: str) -> None:
    """The next step is to choose one of those that exist."""
    with pytest.raises(ConfigError) as caught:
        _parsed(SMALL).find(name)
    assert (str(caught.value), caught.value.hint) == (message, hint)


def test_an_unknown_environment_lists_the_known() -> None:
    """Or says that there is none."""
    with pytest.raises(ConfigError) as none:
        _parsed(SMALL).within("compose")
    assert (str(none.value), none.value.hint) == ("no environment 'compose'", "the file has none")
    with pytest.raises(ConfigError) as other:
        _parsed(SMALL + "[environments.local]\n[environments.ci]").within("compose")
    assert other.value.hint == "the environments are: local, ci"


def test_an_environment_lies_over_the_file_key_by_key() -> None:
    """Its keys win, the file's others stay; another kind replaces the whole table."""
    text = SMALL.replace('kind = "command"', 'kind = "command"\ncommand = ["a"]\nstop_grace_s = 1')
    overlays = (
        '[environments.other.target]\ncommand = ["b"]\n[environments.compose.target]\nkind = "compose"\nservice = "api"'
    )
    parsed = _parsed(text + overlays)
    assert parsed.within("other").target == {"kind": "command", "command": ["b"], "stop_grace_s": 1}
    assert parsed.within("compose").target == {"kind": "compose", "service": "api"}
    assert parsed.within("compose").seed == parsed.seed
    assert parsed.within(None) is parsed


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b'target = "\xff"', r"x\.toml is not UTF-8 \(byte 10\)", "save it as UTF-8"),
        (SMALL.encode("utf-16"), r"x\.toml is not UTF-8 \(byte 0\)", "save it as UTF-8"),
        (b"[target\n", r"x\.toml is not TOML: .*line 1", config.CHECK),
        (b"a = 1\na = 2\nb = 3", r"x\.toml is not TOML: .*line 2", config.CHECK),
        (b'{"target": {}}', r"x\.toml is not TOML: ", config.CHECK),
        (b"", r"x\.toml cannot be used, for 2 reasons:", config.CHECK),
    ],
)
def test_what_is_no_configuration_is_named(tmp_path: Path, content: bytes, message: str, hint: str) -> None:
    """Not UTF-8, not TOML, empty: the file is named, and where it goes wrong."""
    (tmp_path / "x.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=f"^{message}") as caught:
        config.read(tmp_path / "x.toml")
    assert caught.value.hint == hint


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    """It says which file, and what to do."""
    with pytest.raises(ConfigError, match=re.escape(f"there is no {tmp_path}/none.toml")) as caught:
        config.read(tmp_path / "none.toml")
    assert "--config" in caught.value.hint
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        config.read(tmp_path)


@pytest.mark.parametrize("path", ["../x.py", "/etc/passwd", "a/../../x.py", "link/x.py"])
def test_a_path_outside_the_project_is_refused(tmp_path: Path, path: str) -> None:
    """Neither by dots, nor absolute, nor through a link: a configuration opens only what is the project's."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "link").symlink_to(tmp_path)
    (tmp_path / "x.py").write_text("")
    parsed = _parsed(SMALL.replace("tickets.py", path))
    with pytest.raises(ConfigError, match=f"the locustfile '{re.escape(path)}' lies outside the project"):
        plan_of(parsed, "tickets", Overrides(), root=project)
    assert inside(project, "a/../x.py", what="locustfile") == project / "x.py"


def test_a_locustfile_that_is_missing_is_told_before_anything_starts(tmp_path: Path) -> None:
    """The plan already reads it."""
    with pytest.raises(ConfigError, match=r"the locustfile tickets\.py cannot be read: No such file"):
        plan_of(_parsed(SMALL), "tickets", Overrides(), root=tmp_path)


def test_the_digest_follows_the_locustfile(tmp_path: Path) -> None:
    """Two plans are alike only with the same load, to the letter."""
    file = tmp_path / "tickets.py"
    file.write_text("a = 1")
    before = plan_of(_parsed(SMALL), "tickets", Overrides(), root=tmp_path).load
    file.write_text("a = 2")
    assert plan_of(_parsed(SMALL), "tickets", Overrides(), root=tmp_path).load.digest != before.digest


def test_flags_are_stronger_than_the_scenario(tmp_path: Path) -> None:
    """What was given wins, what was not stays; the scenario's own limits hold for flags, too."""
    (tmp_path / "tickets.py").write_text("")
    given = Overrides(users=3, duration=2.5, blocks=BlocksTable(least=4, most=4), rounds=2)
    plan = plan_of(_parsed(SMALL), "tickets:soak", given, root=tmp_path)
    assert (plan.load.users, plan.load.duration_s, plan.load.warmup_s) == (3, 2.5, 3.0)
    assert (plan.paired.blocks.most, plan.paired.load_blocks, plan.baseline.rounds) == (4, 4, 2)
    assert plan.load.spawn_rate == 1.5
    with pytest.raises(ConfigError, match=r"the options cannot be used:\n  users: "):
        plan_of(_parsed(SMALL), "tickets", Overrides(users=0), root=tmp_path)


@pytest.mark.parametrize(
    ("written", "warmup_s", "guard_s"),
    [
        ("", 1.5, 8.0),
        ('duration = "20s"', 1.5, 20.0),
        ('duration = "3s"', 1.5, 3.0),
        ('warmup = "6s"', 6.0, 8.0),
        ('warmup = "3s"\nduration = "20s"', 3.0, 20.0),
        ('paired = { load = "5s" }', 1.5, 5.0),
        ('duration = "20s"\npaired = { load = "5s" }', 1.5, 5.0),
        ('duration = "20s"\npaired = { duet = 0, load = "5s" }', 3.0, 20.0),
        ("paired = { duet = 0 }", 3.0, 12.0),
        ('stages = [{ users = 3, hold = "1m" }]', 3.0, 60.0),
    ],
)
def test_load_beside_turns_is_short_unless_the_scenario_says_how_long(
    tmp_path: Path, written: str, warmup_s: float, guard_s: float
) -> None:
    """It only guards there, and turns have warmed both sides up; alone it is as long as load without turns."""
    (tmp_path / "tickets.py").write_text("")
    text = SMALL.replace("users = 100\n", f"{written}\n")
    plan = plan_of(_parsed(text), "tickets:soak", Overrides(), root=tmp_path)
    load = plan.for_both_sides().load
    assert (load.warmup_s, load.duration_s) == (warmup_s, guard_s)


def test_stages_say_how_long_load_is(tmp_path: Path) -> None:
    """A load round of another length would be another load."""
    (tmp_path / "tickets.py").write_text("")
    text = SMALL.replace("users = 100\n", 'stages = [{ users = 3, hold = "1m" }]\npaired = { load = "5s" }\n')
    with pytest.raises(ConfigError, match=r"stages say how long a load round is: leave out paired\.load"):
        _parsed(text)


@pytest.mark.parametrize(
    ("written", "bounds"),
    [
        ("8", (8, 8)),
        ('"8"', (8, 8)),
        ('"3-12"', (3, 12)),
        ("{ most = 6 }", (3, 6)),
        ("{ least = 5, most = 9 }", (5, 9)),
    ],
)
def test_blocks_are_a_number_or_two_bounds(written: str, bounds: tuple[int, int]) -> None:
    """The same in each way of writing it."""
    config = _parsed(SMALL + f"[profiles.tickets.scenarios.soak.paired]\nblocks = {written}\n")
    blocks = config.find("tickets:soak")[3].paired.blocks
    assert (blocks.least, blocks.most) == bounds


@pytest.mark.parametrize("written", ["1", "true", '"12-3"', '"3-"', "{ least = 5, most = 4 }", "{ least = 1 }", "101"])
def test_blocks_without_bounds_are_refused(written: str) -> None:
    """With the place."""
    assert "paired.blocks" in _refused(SMALL + f"[profiles.tickets.scenarios.soak.paired]\nblocks = {written}\n")


def test_arrivals_are_part_of_the_load(tmp_path: Path) -> None:
    """With the seed of the file; each process has a share of them, and so needs a user."""
    (tmp_path / "tickets.py").write_text("")
    text = "rng_seed = 9\n" + SMALL + "arrivals = { rate = 40 }\n"
    load = plan_of(_parsed(text), "tickets:soak", Overrides(users=8), root=tmp_path).load
    assert (load.users, load.arrivals) == (8, Arrivals(rate=40.0, pattern="poisson", rng_seed=9))
    assert plan_of(_parsed(text), "tickets:smoke", Overrides(), root=tmp_path).load.arrivals is None
    assert "arrivals are shared by 101 load generators, and each needs a user" in _refused(f"{text}processes = 101")


STAGES = """
[profiles.tickets.scenarios.spike]
against = "limits"
warmup = "2s"
stages = [
  { name = "before", users = 10, hold = "20s" },
  { users = 80, ramp = "5s", hold = "30s" },
]
"""


def test_stages_are_part_of_the_load(tmp_path: Path) -> None:
    """They say how many users there are at most, how long is measured, and what each phase is called."""
    (tmp_path / "tickets.py").write_text("")
    plan = plan_of(_parsed(SMALL + STAGES), "tickets:spike", Overrides(), root=tmp_path)
    assert (plan.load.users, plan.load.duration_s, plan.load.warmup_s) == (80, 55.0, 2.0)
    assert plan.load.stages == (
        Stage(name="before", users=10, ramp_s=0.0, hold_s=20.0),
        Stage(name="stage-2", users=80, ramp_s=5.0, hold_s=30.0),
    )
    assert (plan.against, plan.limits_rounds) == (Against.LIMITS, 1)
    assert plan_of(_parsed(SMALL + STAGES), "tickets:smoke", Overrides(rounds=3), root=tmp_path).limits_rounds == 3


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("users = 5", "leave out users"),
        ('duration = "9s"\nspawn_rate = 2', "leave out duration, spawn_rate"),
        ("arrivals = { rate = 3 }", "give stages or arrivals"),
    ],
)
def test_stages_leave_no_second_say_about_the_load(addition: str, message: str) -> None:
    """Two ways to say how many users there are would contradict each other."""
    assert message in _refused(SMALL + STAGES + addition)


def test_a_stage_takes_time() -> None:
    """One without is refused."""
    assert "give ramp or hold" in _refused(SMALL + "[profiles.tickets.scenarios.a]\nstages = [{ users = 3 }]")


@pytest.mark.parametrize(
    ("given", "users", "seconds"),
    [
        (Overrides(users=8), (1, 8), (0, 20, 5, 30)),
        (Overrides(users=4, duration=15), (1, 4), (0, 4, 5, 6)),  # half a user is one
        (Overrides(warmup=1), (10, 80), (0, 20, 5, 30)),
    ],
)
def test_stages_have_as_many_users_as_a_flag_says(
    tmp_path: Path, given: Overrides, users: tuple[int, ...], seconds: tuple[float, ...]
) -> None:
    """At most so many, in every stage in proportion, and named as before; the length is a flag of its own."""
    (tmp_path / "tickets.py").write_text("")
    stages = plan_of(_parsed(SMALL + STAGES), "tickets:spike", given, root=tmp_path).load.stages
    assert [stage.name for stage in stages] == ["before", "stage-2"]
    assert tuple(stage.users for stage in stages) == users
    assert [each for stage in stages for each in (stage.ramp_s, stage.hold_s)] == pytest.approx(seconds)


def test_a_spawn_rate_does_not_fit_stages(tmp_path: Path) -> None:
    """How fast users start is what their ramps say."""
    (tmp_path / "tickets.py").write_text("")
    with pytest.raises(ConfigError, match="stages say how many users there are, and when: leave out spawn_rate"):
        plan_of(_parsed(SMALL + STAGES), "tickets:spike", Overrides(spawn_rate=3.0), root=tmp_path)


def test_stages_take_as_long_as_a_flag_says(tmp_path: Path) -> None:
    """The users rise as steeply as before, and are held for a shorter time, in the same proportion."""
    (tmp_path / "tickets.py").write_text("")
    load = plan_of(_parsed(SMALL + STAGES), "tickets:spike", Overrides(duration=15.0), root=tmp_path).load
    assert (load.users, load.duration_s) == (80, 15.0)
    assert [(stage.users, stage.ramp_s, stage.hold_s) for stage in load.stages] == [(10, 0.0, 4.0), (80, 5.0, 6.0)]


def test_ramps_that_leave_no_time_are_refused(tmp_path: Path) -> None:
    """A stage that nobody holds shows nothing."""
    (tmp_path / "tickets.py").write_text("")
    with pytest.raises(ConfigError, match="--duration: the stages hold nothing in 4 s: their ramps take 5 s") as caught:
        plan_of(_parsed(SMALL + STAGES), "tickets:spike", Overrides(duration=4.0), root=tmp_path)
    assert caught.value.hint == "give a longer one"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("", a_budget()),
        ("change = 0.1", a_budget(change=0.1, margin=0.2)),
        ("change = 0.1\nmargin = 0.1", a_budget(change=0.1, margin=0.1)),
        ("margin = 0.3", a_budget(margin=0.3)),
        ('role = "guarding"', a_budget(role=Role.GUARDING)),
        ("floor = 0", a_budget(floor=0.0)),
        ("change = 0", a_budget(change=0.0, margin=0.0)),
    ],
)
def test_a_budget_changes_key_by_key(table: str, expected: Budget) -> None:
    """What nobody set stays, but a margin follows the change, and zero is a value."""
    own = BudgetTable.model_validate(tomllib.loads(table)).rule(metric="p95")
    assert resolve((a_rule(), own), Reference.REF, RoundKind.LOAD, METRICS["p95"], "GET /") == expected


def test_a_project_changes_one_budget_and_no_other() -> None:
    """The policy is the default but for what the project says."""
    table = _parsed(SMALL + "[gate]\nalpha = 0.05\n[gate.budget.ref.duet.service_time]\nchange = 0.05").gate
    policy = policy_of(table)
    duet = by_metric(policy.budgets, Reference.REF, RoundKind.DUET)
    assert (duet["service_time"].change, duet["service_time"].margin) == (0.05, 0.1)
    assert duet["service_time"].role is Role.REQUIRED
    assert duet["failure_rate"] == by_metric(DEFAULT.budgets, Reference.REF, RoundKind.DUET)["failure_rate"]
    for kind in RoundKind:
        stored = (by_metric(rules, Reference.BASELINE, kind) for rules in (policy.budgets, DEFAULT.budgets))
        assert next(stored) == next(stored)
    assert (policy.alpha, policy.confidence) == (0.05, DEFAULT.confidence)
    assert policy_of(GateTable()) == DEFAULT


def test_slos_are_for_one_endpoint_or_for_all() -> None:
    """Without an endpoint, the limit is for every request."""
    text = '[[gate.slo]]\nmetric = "p95"\nlimit = 200\n[[gate.slo]]\nmetric = "p50"\nlimit = 9.5\nendpoint = "GET /"'
    slos = policy_of(_parsed(SMALL + text).gate).slos
    assert slos == (
        Slo(metric="p95", limit=200.0, endpoint=ALL_ENDPOINTS),
        Slo(metric="p50", limit=9.5, endpoint="GET /"),
    )


def test_former_names_in_the_policy_are_read_with_a_warning() -> None:
    """Of metrics and of roles; in budgets, overrides and SLOs alike. A budget under both names is a mistake."""
    text = (
        '[gate.budget.ref.load.trimmed_mean]\nchange = 0.1\nrole = "decides"\n'
        '[[gate.override]]\nmetric = "trimmed_mean"\nendpoint = "GET /"\nchange = 0.2\nrole = "informs"\n'
        '[[gate.slo]]\nmetric = "trimmed_mean"\nlimit = 9'
    )
    today = text.replace("_mean", "_gmean").replace("decides", "required").replace("informs", "advisory")
    former, now = _parsed(SMALL + text), _parsed(SMALL + today)
    assert policy_of(former.gate) == policy_of(now.gate)
    keys = [warning.removeprefix("perfci.toml: ").partition(":")[0] for warning in former.warnings]
    assert keys == [
        "gate.budget.ref.load.trimmed_mean is now called gate.budget.ref.load.trimmed_gmean",
        'gate.budget.ref.load.trimmed_gmean.role = "decides" is now called "required"',
        'gate.override.0.role = "informs" is now called "advisory"',
        'gate.override.0.metric = "trimmed_mean" is now called "trimmed_gmean"',
        'gate.slo.0.metric = "trimmed_mean" is now called "trimmed_gmean"',
    ]
    assert now.warnings == ()
    both = "[gate.budget.ref.load]\ntrimmed_mean = { change = 0.1 }\ntrimmed_gmean = { change = 0.2 }"
    with pytest.raises(ConfigError, match=r"has both gate\.budget\.ref\.load\.trimmed_mean and"):
        _parsed(SMALL + both)


def test_a_limit_on_what_is_never_measured_is_refused() -> None:
    """It would be a check that cannot fail: turns give no throughput, and a baseline has no turns."""
    text = (
        "[gate.budget.ref.duet.throughput]\nchange = 0.1\n[gate.budget.baseline.duet.service_time]\nchange = 0.1\n"
        '[[gate.slo]]\nmetric = "service_time"\nlimit = 5'
    )
    with pytest.raises(ConfigError) as caught:
        policy_of(_parsed(SMALL + text).gate)
    assert str(caught.value).splitlines() == [
        "[gate] limits what is never measured:",
        "  slo on service_time: no load round measures it",
        "  budget.ref.duet.throughput: no duet round measures it",
        "  budget.baseline.duet.service_time: no duet round measures it",
    ]


def test_unknown_metrics_are_named_all_at_once_beside_the_known() -> None:
    """In budgets and in SLOs alike."""
    text = '[gate.budget.ref.load.p94]\nchange = 0.1\n[[gate.slo]]\nmetric = "latency"\nlimit = 1'
    with pytest.raises(ConfigError, match=r"\[gate\] names unknown metrics: latency, p94") as caught:
        policy_of(_parsed(SMALL + text).gate)
    assert "p95" in caught.value.hint


@pytest.mark.parametrize(
    "addition", ["duration = 1" + "0" * 400, "users = 1" + "0" * 5000, "x = " + "[" * 3000 + "]" * 3000]
)
def test_numbers_and_nesting_without_end_are_refused(addition: str) -> None:
    """What TOML allows and no computer can hold is an error of the file, not a crash."""
    with pytest.raises(ConfigError):
        from_bytes((SMALL.replace("users = 100\n", "") + addition).encode(), where="perfci.toml")


def test_a_path_with_a_null_byte_is_refused(tmp_path: Path) -> None:
    """No system has such a path."""
    small = from_bytes(SMALL.replace("tickets.py", "a\\u0000b").encode(), where="perfci.toml")
    with pytest.raises(ConfigError, match="is no path"):
        plan_of(small, "tickets", Overrides(), root=tmp_path)


@pytest.mark.parametrize("name", ["LOCUST_USERS", "locust_run_time", "PERFCI_TIMETABLE"])
def test_variables_that_would_change_the_load_are_refused(name: str) -> None:
    """Locust reads its settings from the environment, too, and our recorder its orders."""
    with pytest.raises(ConfigError, match="would change the load behind the plan's back: the keys of the scenario"):
        _parsed(SMALL + f'environment = {{ {name} = "1" }}\n')


def test_a_variable_of_the_files_own_may_be_named_as_locusts_are() -> None:
    """Locust's documentation names the variables of custom arguments so."""
    scenario = _parsed(SMALL + 'environment = { LOCUST_SHOP = "1" }\n').find("tickets:soak")[3]
    assert scenario.environment == {"LOCUST_SHOP": "1"}


@pytest.mark.parametrize("argument", ["--users", "--users=3", "-u", "-u3", "--run-time", "-T"])
def test_arguments_of_locusts_own_are_refused(argument: str) -> None:
    """They would change the load behind the plan's back."""
    with pytest.raises(ConfigError, match=r"an option of Locust's own: the keys of the scenario decide"):
        _parsed(SMALL + f'arguments = ["--shop", "north", "{argument}"]\n')


def test_arguments_begin_with_an_option() -> None:
    """What belongs to none would be a user class for Locust."""
    with pytest.raises(ConfigError, match="begin with an option"):
        _parsed(SMALL + 'arguments = ["Visitor"]\n')


@pytest.mark.parametrize("key", ['environment = { A = "{url}" }', 'arguments = ["--port", "{port}"]'])
def test_workers_elsewhere_are_not_told_the_address(key: str) -> None:
    """They learn it from the master, after their Locust file was loaded."""
    with pytest.raises(ConfigError, match="workers elsewhere are not told the address"):
        _parsed(SMALL + f"{key}\nworkers = {{ count = 1 }}\n")


def test_the_options_of_the_installed_locust_are_known() -> None:
    """In a process of its own, since Locust patches the one that imports it."""
    ask = (
        "import pathlib, re, locust; from locust.argument_parser import get_parser;"
        "print(*(o for a in get_parser(default_config_files=[])._actions for o in a.option_strings));"
        "print(*(n for f in pathlib.Path(locust.__file__).parent.rglob('*.py') if 'test' not in f.parts"
        " for n in re.findall('LOCUST_[A-Z_]+', f.read_text()) if not n.startswith('LOCUST_STATE_')))"
    )
    done = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    options, variables = done.stdout.splitlines()
    assert set(options.split()) == locust_options.OPTIONS
    assert set(variables.split()) == locust_options.VARIABLES


@pytest.mark.parametrize("environment", ['{ "A=B" = "1" }', '{ "" = "1" }', '{ A = "\\u0000" }'])
def test_variables_that_no_process_can_have_are_refused(environment: str) -> None:
    """They are found before anything is started."""
    with pytest.raises(ConfigError, match="environment"):
        from_bytes((SMALL + f"environment = {environment}").encode(), where="perfci.toml")


def test_a_byte_order_mark_and_lines_of_windows_are_read() -> None:
    """As editors there save a file: the mark is no part of the TOML."""
    assert from_bytes(b"\xef\xbb\xbf" + SMALL.replace("\n", "\r\n").encode(), where="x.toml") == _parsed(SMALL)


AGAINST = (
    SMALL
    + """
[profiles.shop]
locustfile = "shop.py"
{profile}
[profiles.shop.scenarios.sale]
{scenario}
"""
)


@pytest.mark.parametrize(
    ("profile", "scenario", "against"),
    [
        ("", "", None),
        ('against = "limits"', "", Against.LIMITS),
        ('against = "limits"', 'against = "auto"', Against.AUTO),
        ("", 'against = "ref"', Against.REF),
    ],
)
def test_a_scenario_is_compared_as_its_profile_says(profile: str, scenario: str, against: Against | None) -> None:
    """Unless it says so itself; without either, as the top of the file says."""
    config = from_bytes(AGAINST.format(profile=profile, scenario=scenario).encode(), where="perfci.toml")
    assert config.profiles["shop"].scenarios["sale"].against is against


@pytest.mark.parametrize(
    ("scenario", "unknown"),
    [
        ('"soak"', ""),
        ('"s*"', ""),
        ('["soak", "s*"]', ""),
        ('"sale"', "tickets:sale"),
        ('"sale*"', "tickets:sale*"),
        ('["soak", "sale*", "peak"]', "tickets:peak, tickets:sale*"),
    ],
)
def test_a_limit_for_no_scenario_is_refused(scenario: str, unknown: str) -> None:
    """A pattern that nothing fits is a slip of the pen, as a name that nothing has."""
    text = SMALL + f'[[gate.slo]]\nmetric = "p95"\nlimit = 1\nprofile = "tickets"\nscenario = {scenario}\n'
    if unknown:
        assert f"names unknown scenarios: {unknown}" in _refused(text)
    else:
        from_bytes(text.encode(), where="perfci.toml")


def test_a_limit_on_a_user_class_that_a_scenario_leaves_out_is_refused() -> None:
    """Nothing would ever be held against it there; where all classes are driven, Locust knows which there are."""
    text = SMALL + 'user_classes = ["Viewer", "Buyer"]\n[[gate.slo]]\nmetric = "p95"\nlimit = 1\nprofile = "tickets"\n'
    assert "user class that is not driven: Admin by tickets:soak, which has Viewer Buyer" in _refused(
        f'{text}user = "Admin"'
    )
    for allowed in ('user = "Buyer"', 'user = "Admin"\nscenario = "smoke"'):
        from_bytes((text + allowed).encode(), where="perfci.toml")
