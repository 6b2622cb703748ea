"""Reads the promises from `rows/*.txt`, one per line: `NUMBER | EVIDENCE | PROMISE`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "rows"


@dataclass(frozen=True, slots=True)
class Plan:
    """One of the five systems."""

    title: str
    profile: str
    locustfile: str
    classes: tuple[str, ...] = ()
    """The user classes of the mix; empty: all."""


PLANS = {
    "tickets": Plan("Tickets", "tickets", "tickets"),
    "platform": Plan("Platform", "platform", "platform_api"),
    "saas": Plan("SaaS", "saas", "saas"),
    "crm": Plan("CRM", "crm", "crm"),
    "contact_center": Plan(
        "Contact centre",
        "contact-center",
        "contact_center",
        ("CrmUser", "CalendarUser", "AuthenticationUser", "TelephonyUser"),
    ),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One promise."""

    number: str
    kind: str
    """The kind of evidence: a name in `evidence.KINDS`."""
    argument: str
    promise: str

    @property
    def asked(self) -> str:
        """The evidence, as it stands in the file of the rows."""
        return f"{self.kind} {self.argument}".strip()


def read(system: str) -> list[Row]:
    """The promises of a system; ValueError names a malformed line."""
    return list(_parse(system, (FOLDER / f"{system}.txt").read_text(encoding="utf-8")))


def _parse(system: str, text: str) -> Iterator[Row]:
    for line in text.splitlines():
        number, _, rest = line.partition(" | ")
        evidence, _, promise = (part.strip() for part in rest.rpartition(" | "))  # a command may have a pipe
        if not (number.strip() and evidence and promise):
            raise ValueError(f"{system}: {line!r} is not NUMBER | EVIDENCE | PROMISE")
        kind, _, argument = evidence.partition(" ")
        yield Row(number.strip(), kind, argument.strip(), promise)
