"""Finds why a load generator measured nothing: the lines of its output that show the cause, and the next step."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

LONGEST_TRACEBACK = 16
"""Lines of a traceback that are quoted: its end, where the exception is."""

MOST_LINES = 12
"""Other lines of a log that are quoted."""

OWN_PREFIX = "perfci: "
"""Begins a line in which perfci's own code in the generator says why it cannot go on."""

DISK = "perfci cannot record what it measures"
TRACEBACK = "Traceback (most recent call last):"

ENDLESS_TASK = (
    "let each task return: one that gets no answer, or loops until the test ends, leaves no turn to the others;"
    " `exclude_tags` leaves it out"
)
"""The next step where turns never began and nothing was raised."""

_AFTER = re.compile(  # a traceback: a line of a log, or gevent's about the greenlet that failed
    r"\[\d{4}-\d\d-\d\d [\d:,]+\] \S+/[A-Z]+/|(DEBUG|INFO|WARNING|ERROR|CRITICAL):\S*:|\d{4}-\d\d-\d\dT\S+ <Greenlet"
)
_PROBLEM = re.compile(r"\[\d{4}-\d\d-\d\d [\d:,]+\] \S+/(ERROR|CRITICAL)/[^:]*: |(ERROR|CRITICAL):[^:]*:")
_IGNORED = re.compile(
    r"^Exception ignored (?:in|while)\b.*\n(?:Traceback .*\n(?:[ \t].*\n)*)?(?:[\w.]+(?::.*)?(?:\n|\Z))?", re.MULTILINE
)
"""What Python prints of objects that it destroys, such as ResourceWarning where warnings are errors; no cause."""

_TABLES = re.compile(r"Type +Name +#")  # the head of Locust's first table, after which there are only tables


@dataclass(frozen=True, slots=True)
class Removed:
    """What perfci withholds from a generator, and the same command run by hand would have."""

    variables: Sequence[str] = ()  # of the environment, by name
    settings: Sequence[str] = ()  # files of Locust's own settings in the project
    folder: str = ""  # where the generator was started

    def __str__(self) -> str:
        """The list in one sentence, without a full stop."""
        left_out = [", ".join(sorted(self.variables)), ", ".join(self.settings)]
        named = " and ".join(part for part in left_out if part)
        return f"perfci starts it in {self.folder or '.'}, {f'without {named}' if named else 'with nothing left out'}"


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a generator ended: a summary in one line, the lines of its output that show it, and the next step."""

    summary: str
    evidence: str = ""
    hint: str = ""

    def __str__(self) -> str:
        """The summary, and below it the evidence where that says more."""
        more = not self.summary.endswith(self.evidence)
        return f"{self.summary}\n{self.evidence}" if more else self.summary


@dataclass(frozen=True, slots=True)
class _Known:
    """A cause that can be named: the pattern that shows it, what it means, and the next step."""

    pattern: re.Pattern[str]
    means: str
    hint: str


_CERTIFICATE = _Known(
    re.compile(r"CERTIFICATE_VERIFY_FAILED|CertificateVerifyError|SSLCertVerificationError|certificate verify failed"),
    "the certificate of the service cannot be verified",
    "name its issuer in [target], `tls = { ca = FILE }`, or trust anything, `tls = { verify = false }`",
)
_ENCODING = "save it as UTF-8"
_KNOWN = (
    _Known(
        re.compile(r"ModuleNotFoundError: No module named '(?P<name>[^']+)'"),
        "the environment of the load does not hold the module {name}, which the Locust file imports",
        'name its package in the profile, `requirements = ["PACKAGE"]` or a file of them; a module of the project must '
        "lie beside the Locust file, or in its working_directory",
    ),
    _Known(
        re.compile(r"error: (?P<what>(the following arguments are required|unrecognized arguments|argument ).*)"),
        "{what}",
        'options of the Locust file\'s own are given in the scenario: `arguments = ["--name", "value"]`',
    ),
    _Known(
        re.compile(r"invalid non-printable character U\+FEFF"),
        "the Locust file holds a byte order mark within its text",
        "remove the character U+FEFF from the line named above, or save the file anew as UTF-8",
    ),
    _Known(
        re.compile(r"Non-UTF-8 code starting with '\\x(ff|fe)'|cannot contain null bytes"),
        "the Locust file is saved as UTF-16, with or without a byte order mark",
        _ENCODING,
    ),
    _Known(re.compile(r"Non-UTF-8 code starting with"), "the Locust file is not UTF-8", _ENCODING),
    _Known(
        re.compile(r"Gave up waiting for workers to connect"),
        "the processes of Locust did not find one another",
        "something ended them as they started, or keeps them from connecting to a port of this machine: "
        "`processes = 1` does without",
    ),
    _CERTIFICATE,
)
_VARIABLE = re.compile(r"""(<frozen os>|/os\.py)"[^\n]*, in __getitem__\n(?: .*\n)*KeyError: '(?P<name>\w+)'""")


def cause_of(text: str, code: int, removed: Removed) -> Cause:
    """Why a generator that printed *text* ended with the exit *code* (negative: the number of a signal)."""
    own = [line for line in text.splitlines() if line.startswith(OWN_PREFIX)]
    if own:
        what, _, hint = own[-1].removeprefix(OWN_PREFIX).partition(" | ")
        return Cause(what, hint=hint)
    ended = f"the load generator ended with exit code {code}"
    if code < 0:
        return Cause(
            f"the load generator was ended by {_signal(-code)}",
            evidence_in(text),
            "somebody else ended it: a system kills what takes too much memory, a runner what it cancels",
        )
    evidence = evidence_in(text)
    if DISK in text:
        return Cause(f"{ended}; {evidence.splitlines()[-1]}", hint="free some space for the logs of the run")
    if (missing := _VARIABLE.search(evidence)) is not None:
        return Cause(f"{ended}; {_last(evidence)}", evidence, _about_variable(missing["name"], removed))
    for known in _KNOWN:
        if found := known.pattern.search(evidence):
            return Cause(f"{ended}; {known.means.format(**found.groupdict())}", evidence, known.hint)
    return Cause(f"{ended}; {_last(evidence)}", evidence, by_hand(removed))


def by_hand(removed: Removed) -> str:
    """The hint to run the Locust file without perfci, and what is different then."""
    return f"run the locustfile by hand: locust -f FILE --headless -u 1 -t 5s -H URL ({removed})"


def of_failures(messages: Sequence[str]) -> list[str]:
    """The known causes of the messages of failed requests, each with its next step."""
    shown = any(_CERTIFICATE.pattern.search(message) for message in messages)
    return [f"{_CERTIFICATE.means}: {_CERTIFICATE.hint}"] if shown else []


_STACK = re.compile(r'\s|\^|.*File "')


def evidence_in(text: str) -> str:
    """
    The lines of a generator's output that say most about its end.

    The last traceback; where there is none, the lines that were logged as ERROR or CRITICAL; else the last lines
    before Locust's tables.
    """
    lines = (_IGNORED.sub("", text).strip() or text).splitlines()
    begins = [number for number, line in enumerate(lines) if line.strip() == TRACEBACK]
    if begins:
        found = [_traceback(lines[begin:end]) for begin, end in pairwise([*begins, len(lines)])]
        # Two processes may write at once: a traceback that ends within its stack was mixed with another one.
        whole = [each for each in found if not _STACK.match(each[-1])]
        return "\n".join((whole or found)[-1])
    problems = list(dict.fromkeys(_PROBLEM.sub("", line) for line in lines if _PROBLEM.match(line)))
    if problems:  # each once: the processes of both sides log the same
        return "\n".join(problems[-MOST_LINES:])
    tables = next((number for number, line in enumerate(lines) if _TABLES.match(line)), len(lines))
    return "\n".join(line for line in lines[:tables] if line.strip())[-4000:].strip()


def _traceback(lines: Sequence[str]) -> list[str]:
    """The traceback at the head of *lines*, cut at its beginning where it is long."""
    end = 1
    while end < len(lines) and lines[end].startswith((" ", "\t")):
        end += 1
    while end < len(lines) and lines[end].strip() and not _AFTER.match(lines[end]):
        end += 1
    found = list(lines[:end])
    if len(found) <= LONGEST_TRACEBACK:
        return found
    return [found[0], "  ...", *found[-LONGEST_TRACEBACK:]]


def _last(evidence: str) -> str:
    """The line of the exception, or the last one that was logged."""
    if not evidence:
        return "it printed nothing"
    lines = evidence.splitlines()
    if lines[0] != TRACEBACK:
        return lines[-1]
    return next((line for line in reversed(lines) if re.match(r"[\w.]+(:|$)", line)), lines[-1])


def _about_variable(name: str, removed: Removed) -> str:
    if name in removed.variables:
        how = f'`secrets = {{ load = ["{name}"] }}` in the configuration of the base gives it by name'
        return f"perfci does not pass {name} on to the load, since it looks like a secret: {how}"
    return f'the variable {name} is not set: `environment = {{ {name} = "..." }}` in the scenario gives it one'


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
