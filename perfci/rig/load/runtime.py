"""The files, interpreter and arguments of a load generator, with placeholders for the address of a side."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from perfci.model import LoadPlan
from perfci.rig.host import hosts
from perfci.rig.host.placeholders import fill, used

ADDRESS = ("url", "port")
"""Placeholders whose values differ between the sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """What a load generator runs: the same on both sides, but for the address in variables and arguments."""

    files: tuple[str, ...] = ()  # Locust files, relative to the project; none: that of the plan
    directory: str = "."  # where it is started, relative to the project
    arguments: tuple[str, ...] = ()  # of the command line, for options of the Locust file's own
    exclude_tags: tuple[str, ...] = ()
    limited_classes: tuple[str, ...] = ()  # of users that a limit is for: the Locust file must have them
    interpreter: str = sys.executable

    def paths(self, plan: LoadPlan, project: Path) -> list[str]:
        """The Locust files, absolute."""
        return [str(project / name) for name in self.files or (plan.locustfile,)]

    def options(self, plan: LoadPlan, base_url: str) -> list[str]:
        """
        The options for tags and the file's own arguments.

        More options have to follow: some of these take all words up to the next option.
        """
        return [
            *filled(self.arguments, base_url),
            *(("--tags", *plan.tags) if plan.tags else ()),
            *(("--exclude-tags", *self.exclude_tags) if self.exclude_tags else ()),
        ]


def filled(texts: tuple[str, ...], base_url: str) -> list[str]:
    """*texts* with the address of a side."""
    return [fill(text, _address(base_url)) for text in texts]


def variables_of(environment: Mapping[str, str], base_url: str) -> dict[str, str]:
    """The variables of the Locust file with the address of a side."""
    return {name: fill(value, _address(base_url)) for name, value in environment.items()}


def constant(environment: Mapping[str, str]) -> dict[str, str]:
    """Those variables of the Locust file that are the same for each side."""
    return {name: value for name, value in environment.items() if not _differs(value)}


def _differs(value: str) -> bool:
    return any(used(name, [value]) for name in ADDRESS)


def _address(base_url: str) -> dict[str, object]:
    return {"url": base_url, "port": hosts.origin(base_url)[1]} if base_url else {}
