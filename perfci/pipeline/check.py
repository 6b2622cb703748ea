"""`perfci check`: judge a run, or another tool's result file, against the SLOs only."""

from pathlib import Path

from perfci.config import read
from perfci.errors import ConfigError
from perfci.judge import judge
from perfci.model import Reference
from perfci.pipeline.compare import load, located
from perfci.pipeline.policy import policy_of
from perfci.pipeline.subject import SLOS, subject_of
from perfci.report.view import View


def check(path: Path, *, config_file: Path, profile: str | None) -> View:
    """
    Judge the run or result file at *path* against the SLOs of *config_file*.

    The SLOs are those of *profile*; of none, those of the profile that the run names, and those of all profiles.
    ConfigError where there is no SLO to hold.
    """
    config = read(config_file)
    if profile is not None:
        config.find(profile)
    run = load(located(path, config_file.parent))
    named, _, scenario = (profile or run.name).partition(":")
    policy = policy_of(config.gate, named, scenario, alerts=config.monitor.alert)
    if not policy.slos:
        raise ConfigError(
            f"{config_file} has no SLO for {profile or run.profile}",
            hint='add one, such as: [[gate.slo]] metric = "p95", limit = 200; or name a profile: --profile NAME',
        )
    subject = subject_of(run, reference=Reference.LIMITS, name=SLOS, base_commit="")
    return View(outcome=judge(run, baseline=None, policy=policy, subject=subject), run=run)
