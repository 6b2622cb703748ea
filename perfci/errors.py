"""The errors that perfci raises on purpose, each with its exit code: what happened, the evidence, the next step."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of the program. 1 is not used: Python itself exits with it, so it always means a crash."""

    OK = 0
    USAGE = 2
    NOT_MEASURED = 3
    NOT_PUBLISHED = 4
    REGRESSION = 10
    INCONCLUSIVE = 11
    INTERRUPTED = 130


class PerfciError(Exception):
    """
    A failure that perfci foresaw.

    `str(error)` says what happened and shows the evidence; `hint` is the next step for the person who reads it.
    Raise a subclass: the class decides the exit code.
    """

    exit_code: ExitCode = ExitCode.NOT_MEASURED

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ConfigError(PerfciError):
    """The configuration, an option or an input cannot be used as it stands."""

    exit_code = ExitCode.USAGE


class ResultError(PerfciError):
    """A run or baseline file cannot be read: missing, truncated, another schema, numbers that are none."""

    exit_code = ExitCode.USAGE


class ArtifactError(PerfciError):
    """An artifact of another job is not what a measuring job of this commit uploads: nothing of it is used."""


class NoResultError(PerfciError):
    """The run folder holds no result, so that a step which repeats the result has nothing to repeat."""


class RefError(PerfciError):
    """The name of the base is no commit, although the local git has the whole history: most likely a typing error."""

    exit_code = ExitCode.USAGE


class BaseUnavailableError(PerfciError):
    """
    The base commit cannot be read from the local git, or cannot be checked out.

    *absent*: git gives nothing of that commit (it is not in this clone, or git refuses the repository), so that the
    base's own configuration cannot be read either. Else the commit is there, and only its files cannot be made.
    """

    def __init__(self, message: str, *, absent: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.absent = absent


class TargetError(PerfciError):
    """The system under test could not be started, or did not become ready."""


class BaseTargetError(TargetError):
    """The base could not be started, though the candidate could: the change under review is not at fault."""


class SeedError(PerfciError):
    """The known data could not be put into the target."""


class DataThereError(SeedError):
    """The target holds data already, and was not asked to remove it."""


class LoadError(PerfciError):
    """Locust could not run, or what it recorded cannot be used."""


class CensusError(PerfciError):
    """A counter of the target stopped answering, or answered what nobody can read."""


class MonitorError(PerfciError):
    """A gauge of the target could not be read: the run goes on without it."""


class PublishError(PerfciError):
    """A comment, summary or output could not be written."""

    exit_code = ExitCode.NOT_PUBLISHED


class Interrupted(KeyboardInterrupt):
    """
    The user or the runner asked perfci to stop (SIGINT, SIGTERM).

    No PerfciError on purpose: like KeyboardInterrupt it must pass every `except Exception` on its way out.
    """

    exit_code = ExitCode.INTERRUPTED
