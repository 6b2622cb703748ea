"""What was measured, held against the SLOs alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from perfci import store
from tests.builders import a_paired_run
from tests.fakes.shell import Perfci

RECORDED = Path(__file__).parents[2] / "data" / "foreign"
CONFIG = """
[target]
kind = "external"
url = "http://127.0.0.1:1"

[profiles.shop]
locustfile = "shop.py"
[profiles.shop.scenarios.smoke]
users = 1
duration = "1s"

[profiles.other]
locustfile = "shop.py"
[profiles.other.scenarios.smoke]
users = 1
duration = "1s"
"""


Checked = Callable[..., tuple[int, str, str]]


@pytest.fixture
def checked(tmp_path: Path, perfci: Perfci) -> Checked:
    """`perfci check` of a run with these SLOs, each a line of keys, and with further options."""

    def run(run: Path, *slos: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        config = tmp_path / "perfci.toml"
        tables = "".join("[[gate.slo]]\n" + slo.replace("; ", "\n") + "\n" for slo in slos)
        config.write_text(CONFIG + tables, encoding="utf-8")
        return perfci("check", str(run), "--config", str(config), *options)

    return run


@pytest.mark.parametrize(
    ("slo", "code", "word"),
    [
        ('metric = "p95"; limit = 100; endpoint = "GET /slow"', 0, "PASS"),
        ('metric = "p95"; limit = 20; endpoint = "GET /slow"', 10, "SLO BREACH"),
        ('metric = "failure_rate"; limit = 0.01; endpoint = "GET broken*"', 10, "SLO BREACH"),
        ('metric = "p95"; limit = 1000', 0, "PASS"),
        ('metric = "mean"; limit = 1', 10, "SLO BREACH"),
        ('metric = "throughput"; limit = 100000', 10, "SLO BREACH"),
        ('metric = "p95"; limit = 20; endpoint = "GET /missing"', 11, "INCONCLUSIVE"),
    ],
    ids=["held", "breached", "failures", "all together", "their mean", "their rate", "nothing to hold it against"],
)
def test_a_locust_csv_is_held_against_the_slos(checked: Checked, slo: str, code: int, word: str) -> None:
    """A breach is exit code 10; a limit that met nothing is never green."""
    ended, out, _ = checked(RECORDED / "locust_stats.csv", slo)
    assert (ended, out.split("  ")[0][2:]) == (code, word)
    assert "Compared  locust_stats.csv with its SLOs" in out


def test_a_run_of_perfci_can_be_checked(tmp_path: Path, checked: Checked) -> None:
    """By its folder; both sides were measured, and the candidate counts."""
    store.save(a_paired_run(), tmp_path / "run" / "run.json")
    code, out, _ = checked(tmp_path / "run", 'metric = "p95"; limit = 10000')
    assert (code, "The SLO is held" in out, "with its SLOs" in out) == (0, True, True)


def test_slos_of_a_profile_are_asked_for_by_its_name(checked: Checked) -> None:
    """A file of another tool names no profile."""
    slo = 'metric = "p95"; limit = 20; endpoint = "GET /slow"; profile = "shop"'
    file = RECORDED / "locust_stats.csv"
    assert checked(file, slo, options=("--profile", "shop"))[0] == 10
    assert "no SLO for imported" in checked(file, slo)[2]
    assert "no SLO for other" in checked(file, slo, options=("--profile", "other"))[2]
    code, _, error = checked(file, slo, options=("--profile", "nothing"))
    assert (code, "the profiles are" in error) == (2, True)


def test_budgets_are_not_for_limits(tmp_path: Path, perfci: Perfci) -> None:
    """A budget against limits is refused with what to write instead."""
    config = tmp_path / "perfci.toml"
    config.write_text(CONFIG + "[gate.budget.limits.load]\np95 = { change = 0.1 }\n", encoding="utf-8")
    code, _, error = perfci("check", str(RECORDED / "wrk.txt"), "--config", str(config))
    assert (code, "[[gate.slo]]" in error) == (2, True)
