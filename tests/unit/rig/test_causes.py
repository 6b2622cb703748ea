"""What a generator printed becomes the cause of its end: the decisive lines, one sentence, the next step."""

import pytest

from perfci.rig.load.causes import Removed, cause_of, evidence_in, of_failures

pytestmark = pytest.mark.kind("B")

TABLES = """
Type     Name                        # reqs      # fails |    Avg
--------|--------------------------|-------|-------------|-------
         Aggregated                       0     0(0.00%) |      0
--------|--------------------------|-------|-------------|-------
"""
CRITICAL = """[2026-01-01 10:00:00,000] box/INFO/locust.main: Starting Locust 2
[2026-01-01 10:00:00,100] box/CRITICAL/locust.runners: Unhandled exception in greenlet: <Greenlet>
Traceback (most recent call last):
  File "users.py", line 1, in run
    new_user.start(self.user_greenlets)
TypeError: Visitor.start() takes 1 positional argument but 2 were given
2026-01-01T10:00:00Z <Greenlet at 0x7: run> failed with TypeError

[2026-01-01 10:00:09,100] box/INFO/locust.main: --run-time limit reached, shutting down
"""


def _exception(line: str, *frames: str) -> str:
    return "\n".join(["Traceback (most recent call last):", *(frames or ('  File "profile.py", line 1',)), line])


def test_the_last_traceback_is_quoted_and_not_the_end_of_the_tables() -> None:
    """Its exception is in the first line, which is all that a headline shows."""
    cause = cause_of(CRITICAL + TABLES, 2, Removed())
    assert cause.summary.startswith("the load generator ended with exit code 2; TypeError: Visitor.start() takes 1 ")
    assert "new_user.start" in cause.evidence
    assert "Aggregated" not in str(cause)
    assert "failed with TypeError" not in str(cause)


def test_what_python_ignores_at_its_end_is_no_cause() -> None:
    """With warnings as errors each socket that is left open is printed after the exception that ended the process."""
    ignored = (
        "Exception ignored in: <socket object, fd=3>\nTraceback (most recent call last):\n  File 'x.py'\n"
        "ResourceWarning: unclosed <socket object, fd=3>\n"
    )
    alone = "Exception ignored in: <socket object, fd=4>\nResourceWarning: unclosed <socket object, fd=4>\n"
    text = f"{ignored}{_exception('ImportError: no luck')}\n{alone}{ignored}{alone}"
    assert cause_of(text, 1, Removed()).summary == "the load generator ended with exit code 1; ImportError: no luck"
    assert "ResourceWarning" in cause_of(ignored, 1, Removed()).summary  # where nothing else was said


def test_without_a_traceback_logged_errors_are_quoted() -> None:
    """Of all lines only those that were logged as errors, without time and machine."""
    text = f"{CRITICAL.splitlines()[0]}\n[2026-01-01 10:00:00,100] box/ERROR/locust.main: Unknown User(s): A\n{TABLES}"
    assert evidence_in(text) == "Unknown User(s): A"


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_in_one_line_is_said_once(processes: int) -> None:
    """Where the summary has all of it, nothing is repeated below; two processes that log the same have one error."""
    text = "[2026-01-01 10:00:00,100] box/ERROR/locust.main: No User class found!\n" * processes
    cause = cause_of(text, 1, Removed())
    assert str(cause) == "the load generator ended with exit code 1; No User class found!"


def test_several_errors_stand_below_the_summary() -> None:
    """In their order, each once; the last one is in the summary, too."""
    lines = ["Unknown User(s): A", "no such host", "Unknown User(s): A"]
    text = "".join(f"[2026-01-01 10:00:00,100] box/ERROR/locust.main: {line}\n" for line in lines)
    cause = cause_of(text, 1, Removed())
    assert str(cause).splitlines() == [
        "the load generator ended with exit code 1; no such host",
        "Unknown User(s): A",
        "no such host",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", TABLES])
def test_nothing_said_is_told(text: str) -> None:
    """Tables of zeros say nothing either."""
    assert cause_of(text, 1, Removed()).summary == "the load generator ended with exit code 1; it printed nothing"


@pytest.mark.parametrize(
    ("line", "seen", "hint"),
    [
        (
            "ModuleNotFoundError: No module named 'shop.api'",
            "does not hold the module shop.api",
            'requirements = ["PACKAGE"]',
        ),
        ("SyntaxError: invalid non-printable character U+FEFF", "byte order mark", "save the file anew as UTF-8"),
        (r"SyntaxError: Non-UTF-8 code starting with '\xff' in file p.py", "UTF-16", "save it as UTF-8"),
        (r"SyntaxError: Non-UTF-8 code starting with '\xe9' in file p.py", "is not UTF-8", "save it as UTF-8"),
        ("ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed", "certificate", "tls = { ca"),
    ],
)
def test_known_causes_are_named_with_their_next_step(line: str, seen: str, hint: str) -> None:
    """And nobody is sent to run the file by hand where that would tell nothing new."""
    cause = cause_of(_exception(line), 1, Removed())
    assert seen in cause.summary
    assert hint in cause.hint
    assert "by hand" not in cause.hint


def test_by_hand_names_what_perfci_withholds() -> None:
    """Variables, Locust's own settings and the folder: else the file may run by hand and nobody knows why."""
    removed = Removed(variables=("SHOP_TOKEN", "LOCUST_USERS"), settings=("locust.conf",), folder="/shop")
    hint = cause_of(_exception("RuntimeError: no token"), 1, removed).hint
    assert "perfci starts it in /shop, without LOCUST_USERS, SHOP_TOKEN and locust.conf" in hint


@pytest.mark.parametrize(
    ("variables", "parts"),
    [
        (("SHOP_KEY",), ["perfci does not pass SHOP_KEY on", 'secrets = { load = ["SHOP_KEY"] }']),
        ((), ["the variable SHOP_KEY is not set", 'environment = { SHOP_KEY = "..." }']),
    ],
)
def test_a_missing_variable_is_withheld_or_not_set(variables: tuple[str, ...], parts: list[str]) -> None:
    """What looks like a secret is given by name, anything else by its value."""
    text = _exception("KeyError: 'SHOP_KEY'", '  File "<frozen os>", line 1, in __getitem__')
    hint = cause_of(text, 1, Removed(variables=variables)).hint
    assert all(part in hint for part in parts)


def test_a_word_of_perfcis_own_is_all_that_is_told() -> None:
    """With its hint behind the bar."""
    cause = cause_of(f"{CRITICAL}perfci: the task start hides it | rename it\n{TABLES}", 1, Removed())
    assert (str(cause), cause.hint) == ("the task start hides it", "rename it")


def test_a_generator_that_was_killed_is_no_fault_of_the_file() -> None:
    """The signal has its name."""
    cause = cause_of("", -9, Removed())
    assert cause.summary == "the load generator was ended by SIGKILL"
    assert "by hand" not in cause.hint


def test_a_long_traceback_keeps_its_end() -> None:
    """Where the exception is."""
    text = _exception("ValueError: x", *(f"  frame {number}" for number in range(100)))
    assert len(evidence_in(text).splitlines()) < 25
    assert evidence_in(text).endswith("frame 99\nValueError: x")


def test_a_certificate_in_failed_requests_is_told_once() -> None:
    """Whatever else has failed."""
    (text,) = of_failures(["GET /a: certificate verify failed", "GET /b: CERTIFICATE_VERIFY_FAILED", "GET: 500"])
    assert "tls = { verify = false }" in text
    assert of_failures(["GET /a: 500"]) == []


def test_a_traceback_that_another_process_was_mixed_into_is_not_the_evidence() -> None:
    """Both sides fail at once, and write into one log."""
    whole = "Traceback (most recent call last):\n  File \"p.py\", line 1\nKeyError: 'API_KEY'\n"
    mixed = 'Traceback (most recent call last):\n  File "p.py", line 1\n^^ File "<frozen os>", line 679\n\n'
    assert evidence_in(whole + mixed).endswith("KeyError: 'API_KEY'")
