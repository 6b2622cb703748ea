"""What the user asks of `perfci run`, by flags, environment variables and inputs of the Action."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from perfci.config import Against, FailOn
from perfci.pipeline.plan import Overrides


class Counting(StrEnum):
    """Whether a census is taken: before the timed rounds, instead of them, or not at all."""

    AUTO = "auto"
    ONLY = "only"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The request for one run; what is empty or None comes from the configuration and the event of the job."""

    profile: str  # "PROFILE" or "PROFILE:SCENARIO"
    config_file: str = "perfci.toml"
    environment: str | None = None
    host: str | None = None  # the address of a service that runs already, instead of the configured target
    against: Against | None = None
    base: str = ""  # a ref, a folder that begins with "." or "/", or "." for the working tree
    candidate: str = ""  # the same; the working tree unless given
    fail_on: FailOn | None = None
    overrides: Overrides = field(default_factory=Overrides)
    base_env: Mapping[str, str] = field(default_factory=dict)  # variables for the target of the base alone
    candidate_env: Mapping[str, str] = field(default_factory=dict)
    census: Counting | None = None
    confirm: Path | None = None  # a run, of which what was red is measured again, and nothing else
    runs: int = 1  # that one call makes, of which none is removed as an old one
