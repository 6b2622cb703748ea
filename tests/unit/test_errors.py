"""The exit codes are a promise to shells and workflows."""

from perfci import errors
from perfci.errors import ExitCode, Interrupted, PerfciError

CODES = {
    "ConfigError": 2,
    "ResultError": 2,
    "RefError": 2,
    "BaseUnavailableError": 3,
    "ArtifactError": 3,
    "NoResultError": 3,
    "TargetError": 3,
    "BaseTargetError": 3,
    "SeedError": 3,
    "DataThereError": 3,
    "LoadError": 3,
    "CensusError": 3,
    "MonitorError": 3,
    "PublishError": 4,
}


def test_numbers_of_exit_codes() -> None:
    """These stand in the documentation and in other people's workflows; 1 stays Python's own."""
    assert {code.name: int(code) for code in ExitCode} == {
        "OK": 0,
        "USAGE": 2,
        "NOT_MEASURED": 3,
        "NOT_PUBLISHED": 4,
        "REGRESSION": 10,
        "INCONCLUSIVE": 11,
        "INTERRUPTED": 130,
    }


def test_every_error_has_its_code() -> None:
    """The class decides; a new one is entered here."""
    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, PerfciError) and kind is not PerfciError
    }
    assert {name: int(kind.exit_code) for name, kind in classes.items()} == CODES


def test_an_error_says_what_happened_and_what_to_do() -> None:
    """Text and hint are apart, so that each can be shown where it belongs."""
    error = errors.LoadError("Locust ended", hint="run it by hand")
    assert (str(error), error.hint, errors.LoadError("x").hint) == ("Locust ended", "run it by hand", "")


def test_an_interruption_passes_all_handlers_of_errors() -> None:
    """`except Exception` must not swallow Ctrl-C."""
    assert not issubclass(Interrupted, Exception)
    assert issubclass(Interrupted, KeyboardInterrupt)
