"""The promises, read from `rows/*.txt`: one a line, `NUMBER | EVIDENCE | PROMISE`."""

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
    """The user classes of the mix; none: all."""


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
    """Of the evidence: a name in `evidence.KINDS`."""
    argument: str
    promise: str


def read(system: str) -> list[Row]:
    """The promises of a system; ValueError names a line that is none."""
    return list(_parse(system, (FOLDER / f"{system}.txt").read_text(encoding="utf-8")))


def _parse(system: str, text: str) -> Iterator[Row]:
    for line in text.splitlines():
        parts = [part.strip() for part in line.split(" | ")]
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"{system}: {line!r} is not NUMBER | EVIDENCE | PROMISE")
        kind, _, argument = parts[1].partition(" ")
        yield Row(parts[0], kind, argument.strip(), parts[2])
