"""Which `perfci run` measures a scenario, named `PROFILE:SCENARIO`, and `+FAULT`, and `@ENVIRONMENT`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from perfci.config.scenario import StageTable

FULL_S = 20
"""Seconds at the documented number of users, once all of them have started."""

STAGE_S = 10
"""Seconds for which a stage of the documented number of users is held, on average."""

FAULTS: Mapping[str, str] = {
    "errors": "DEMO_FAULTS=errors=0.08",
    "few-errors": "DEMO_FAULTS=errors=0.03",
    "leak": "DEMO_FAULTS=leak=1000",
    "no-cache": "DEMO_FAULTS=no-cache",
    "crash": "DEMO_FAULTS=crash=300",
    "lock": "DEMO_FAULTS=lock",
}
"""Defects of the demo, each a variable of `perfci run --candidate-env`."""


@dataclass(frozen=True, slots=True)
class Measuring:
    """A scenario, as it is measured for the page."""

    scenario: str  # PROFILE:SCENARIO
    fault: str = ""
    environment: str = ""

    @classmethod
    def of(cls, name: str) -> Self:
        """Read `PROFILE:SCENARIO+FAULT@ENVIRONMENT`."""
        rest, _, environment = name.partition("@")
        scenario, _, fault = rest.partition("+")
        return cls(scenario, fault, environment)

    @property
    def is_smoke(self) -> bool:
        """Whether it is of a size that two cores take in less than a minute."""
        return self.scenario.endswith("-smoke")

    def command(self, stages: Sequence[StageTable] = ()) -> str:
        """The command line; a scenario of full size, of *stages* if it has any, is shortened in time alone."""
        seconds = FULL_S if not stages else sum(stage.ramp for stage in stages) + STAGE_S * len(stages)
        options = [
            f"perfci run {self.scenario} --against limits",
            "" if self.is_smoke else f"--duration {seconds:g}s",
            f"--candidate-env {FAULTS[self.fault]}" if self.fault else "",
            f"--environment {self.environment}" if self.environment else "",
        ]
        return " ".join(option for option in options if option)
