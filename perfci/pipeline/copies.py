"""Copies of the seeded data: the sides are seeded once, and later starts begin with what was there then."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perfci.errors import PerfciError
from perfci.model import Side

Save = Callable[[Path], None]


@dataclass(slots=True)
class Copies:
    """
    The data of each side as it was after the first seeding, in a *folder*; None: every start is seeded anew.

    All sides begin with copies, or none: a database that was filled a moment ago is not one that was started on a copy.
    """

    folder: Path | None
    _digests: Mapping[Side, str] = field(default_factory=dict)  # of what was copied

    @property
    def wanted(self) -> bool:
        """Whether the data of the next start is to be copied."""
        return self.folder is not None and not self._digests

    @property
    def made(self) -> bool:
        """Whether the next start begins with copies, and is not seeded."""
        return bool(self._digests)

    def of(self, side: Side) -> Path | None:
        """The data that a start of *side* begins with; None: it is seeded."""
        return self.folder / side.value if self.folder is not None and self.made else None

    def obstacle(
        self, seeded: Mapping[Side, str], asked: Callable[[Side], str], saves: Mapping[Side, Save | None]
    ) -> str:
        """Why the data cannot be copied; "" where what is *asked* is the digest that each side was *seeded* with."""
        for side, digest in seeded.items():
            if saves[side] is None:
                return f"perfci cannot copy what the {side} keeps its data in"
            try:
                if asked(side) != digest:
                    return f"asked for its digest, the {side} does not tell the one that it was seeded with"
            except PerfciError as error:
                return f"the digest of the data cannot be asked for: {error}"
        return ""

    def make(self, seeded: Mapping[Side, str], saves: Mapping[Side, Save | None]) -> str:
        """Stop the sides and copy their data, whose digests are *seeded*; why that failed, or ""."""
        try:
            for side, save in saves.items():
                if save is not None and self.folder is not None:
                    shutil.rmtree(self.folder / side.value, ignore_errors=True)
                    save(self.folder / side.value)
        except PerfciError as error:
            return str(error)
        self._digests = dict(seeded)
        return ""

    def differ(self, held: Mapping[Side, str]) -> str:
        """Why the sides, started on copies, do not hold what was copied; "" where they do."""
        for side, digest in held.items():
            if self._digests[side] != digest:
                return f"started on a copy of its data, the {side} tells another digest than it was seeded with"
        return ""

    def give_up(self) -> None:
        """Seed every start from now on."""
        self.folder, self._digests = None, {}
