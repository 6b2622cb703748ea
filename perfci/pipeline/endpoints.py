"""
Names the endpoints of a run once all of its requests are known: names that vary are folded into templates.

Until then a round is kept under the templates of its names. In the end a template has placeholders only where names
differ, and names that were answered otherwise than the rest of their template leave it.
"""

import math
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from perfci.model import ENOUGH, Answered, Census, Folded, Round, Run, Side
from perfci.rig.load.inside.perfci_endpoints import common

if TYPE_CHECKING:
    from perfci.rig.census.take import Taken

APART_BYTES = 256
"""
Smallest difference in bytes, with at least a factor of two, that gives a name's answers another size than its
template's.
"""

CHANCE = 0.001
"""
That, among all names of a template, one is answered otherwise on the two sides though both answer alike: all answers
of one side before all of the other's, in an order that is random.
"""

Regroup = Callable[[Mapping[str, str]], Round]
"""Measures a round again, with other endpoints for some names."""

Names = Mapping[str, Mapping[Side, Answered]]
"""The answers to each name, by side."""


def apart(names: Names) -> dict[str, str]:
    """
    Return the *names* of a template whose answers differ from most others', with the difference.

    A name leaves its template only where all of its answers say so, ENOUGH of them on each side. Where the two sides
    differ about it, these have to be so many that chance does not explain them: a name that was chosen because it
    failed on one side would otherwise pass for a regression of that side.
    """
    usual = {side: _Usual.of([each[side] for each in names.values() if side in each]) for side in Side}
    found = {}
    for name, sides in names.items():
        if any(answered.answers < ENOUGH for answered in sides.values()):
            continue
        labels = {side: usual[side].label(answered) for side, answered in sides.items()}
        if len(set(labels.values())) == 1:
            found[name] = next(iter(labels.values()))
        elif _separate(*sides.values(), among=len(names)):
            found[name] = ", ".join(f"{label} on the {side.value}" for side, label in labels.items() if label)
    return {name: label for name, label in found.items() if label} if len(names) > 1 else {}


@dataclass(frozen=True, slots=True)
class _Usual:
    """The usual answer to the names of one template on one side: kind and body size."""

    kind: str  # empty: there is none
    size: float | None  # bytes

    @classmethod
    def of(cls, names: Iterable[Answered]) -> "_Usual":
        names = list(names)
        kinds = Counter(kind for name in names for kind in name.kinds if len(name.kinds) == 1)
        successes = {kind: count for kind, count in kinds.items() if not kind.startswith("failed")}
        kind = min(successes or kinds, key=lambda each: (-kinds[each], each), default="")
        sizes = [name.bytes_ / name.successes for name in names if name.successes]
        return cls(kind, statistics.median_low(sizes) if sizes else None)

    def label(self, name: Answered) -> str:
        """Describe what all answers of *one* name have in common and most others lack; "" where there is nothing."""
        if self.kind not in name.kinds and len(name.kinds) == 1:
            return next(iter(name.kinds))
        if name.smallest is None or name.largest is None or self.size is None:
            return ""
        if _larger(name.smallest, self.size):
            return "larger answers"
        return "smaller answers" if _larger(self.size, name.largest) else ""


def _larger(size: float, than: float) -> bool:
    return size > 2 * than and size - than > APART_BYTES


def _separate(base: Answered, candidate: Answered, *, among: int) -> bool:
    """Whether two sets of answers share no kind, with enough answers in both to exclude chance."""
    others = not base.kinds & candidate.kinds or any(
        larger.smallest is not None and smaller.largest is not None and _larger(larger.smallest, smaller.largest)
        for larger, smaller in ((base, candidate), (candidate, base))
    )
    return others and 2 * among < CHANCE * math.comb(base.answers + candidate.answers, base.answers)


@dataclass(slots=True)
class Naming:
    """Collects the answers to each name of a run, and names its endpoints at the end."""

    _answered: dict[str, dict[Side, Answered]] = field(default_factory=dict)  # by name
    _templates: dict[str, str] = field(default_factory=dict)  # by name
    _regroup: list[Regroup | None] = field(default_factory=list)  # of each round of the run, in its order
    _taken: "Taken | None" = None

    def add(
        self, side: Side, answered: Mapping[str, Answered], templates: Mapping[str, str], regroup: Regroup | None = None
    ) -> None:
        """Add the answers of one side in one round."""
        self._note(side, answered, templates)
        self._regroup.append(regroup)

    def add_census(self, taken: "Taken") -> None:
        """Add the answers that both sides gave while their work was counted."""
        for side, answered in taken.answered.items():
            self._note(side, answered, taken.endpoints)
        self._taken = taken

    def _note(self, side: Side, answered: Mapping[str, Answered], templates: Mapping[str, str]) -> None:
        self._templates |= {name: templates[name] for name in answered}
        for name, answers in answered.items():
            sides = self._answered.setdefault(name, {})
            sides[side] = sides[side] + answers if side in sides else answers

    def settled(self, run: Run) -> Run:
        """Return *run* with the final names of its endpoints, and the list of names that were folded."""
        members: defaultdict[str, list[str]] = defaultdict(list)
        for name, template in sorted(self._templates.items()):
            members[template].append(name)
        taken = set(endpoints_of(run))
        left: dict[str, str] = {}  # names that leave their template, with their own endpoint
        shown: dict[str, str] = {}
        folded: list[Folded] = []
        for template, names in members.items():
            reasons = apart({name: self._answered[name] for name in names})
            groups: defaultdict[str, list[str]] = defaultdict(list)
            for name in names:
                groups[reasons.get(name, "")].append(name)
            for because, group in groups.items():
                endpoint = common(group) + (f" ({because})" if because and len(group) > 1 else "")
                if endpoint in taken - {template}:
                    endpoint = template
                if because:
                    left |= dict.fromkeys(group, endpoint)
                else:
                    shown[template] = endpoint
                if because or len(group) > 1:
                    folded.append(Folded(endpoint=endpoint, names=len(group), because=because))
        ordered = tuple(sorted(folded, key=lambda group: group.endpoint))
        return replace(renamed(self._regrouped(run, left) if left else run, shown), folded=ordered)

    def _regrouped(self, run: Run, left: Mapping[str, str]) -> Run:
        called = {**self._templates, **left}
        again = zip(run.rounds, self._regroup, strict=True)
        rounds = tuple(measured if regroup is None else regroup(called) for measured, regroup in again)
        if self._taken is None or self._taken.regrouped is None:
            return replace(run, rounds=rounds)
        census = self._taken.regrouped(left)
        kept = {side: replace(census[side], seed_digest=each.seed_digest) for side, each in run.census.items()}
        return replace(run, rounds=rounds, census=kept)


def endpoints_of(run: Run) -> Iterable[str]:
    """Every endpoint that was measured or counted."""
    for measured in run.rounds:
        yield from measured.endpoints
    for census in run.census.values():
        yield from census.endpoints


def renamed(run: Run, called: Mapping[str, str]) -> Run:
    """*run* with the endpoints as they are *called*; those that are absent keep their names."""
    if all(endpoint == name for endpoint, name in called.items()):
        return run
    return replace(
        run,
        rounds=tuple(_round(measured, called) for measured in run.rounds),
        census={side: census_renamed(census, called) for side, census in run.census.items()},
        base_endpoints=tuple(sorted(called.get(name, name) for name in run.base_endpoints)),
        incidents=tuple(_text(text, called) for text in run.incidents),
    )


def _round(measured: Round, called: Mapping[str, str]) -> Round:
    return replace(
        measured,
        endpoints={called.get(name, name): found for name, found in measured.endpoints.items()},
        answers={called.get(name, name): found for name, found in measured.answers.items()},
        phases={
            phase: replace(found, endpoints={called.get(name, name): seen for name, seen in found.endpoints.items()})
            for phase, found in measured.phases.items()
        },
        errors={_text(text, called): count for text, count in measured.errors.items()},
    )


def census_renamed(census: Census, called: Mapping[str, str]) -> Census:
    """*census* with the endpoints as they are *called*."""
    return replace(
        census,
        endpoints={called.get(name, name): counts for name, counts in census.endpoints.items()},
        cold={called.get(name, name): counts for name, counts in census.cold.items()},
        unreached=tuple(called.get(name, name) for name in census.unreached),
    )


def _text(text: str, called: Mapping[str, str]) -> str:
    longest_first = sorted(called, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: called[found.group()], text)
