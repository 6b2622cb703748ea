"""Writes a run to disk as it grows: after every change the file holds all that was measured until then."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from perfci import store
from perfci.model import CommittedCensus, LoadPlan, Run, Side, TargetHealth, Timing
from perfci.pipeline.endpoints import Naming
from perfci.pipeline.rig import Block, Measured
from perfci.rig.census.take import Taken
from perfci.rig.host.masking import Mask


class Recorder:
    """Keeps a run in *file*; each change is written before the next begins."""

    def __init__(self, run: Run, file: Path, *, mask: Mask | None = None) -> None:
        """What *mask* hides is written nowhere."""
        self.mask = mask or Mask()
        self.run = run
        self._file = file
        self._naming = Naming()
        store.save(run, file)

    def add(self, measured: Mapping[Side, Measured], *, where: str) -> None:
        """
        Keep the rounds, and what was noted about them *where* they were measured.

        The same note from a later block or the other side says nothing new.
        """
        rounds = [replace(each.round, target=self._hidden(each.round.target)) for each in measured.values()]
        self._replace(replace(self.run, rounds=(*self.run.rounds, *rounds)))
        for side, each in measured.items():
            self._naming.add(side, each.answered, each.endpoints, each.regroup)
            for note in map(self.mask, each.notes):
                if not any(known.endswith(note) for known in self.run.incidents):
                    self.incident(f"{where} the {side.value}: {note}")
            for source, reason in each.unwatched.items():
                self.incident_once(f"monitoring the {side.value}, {source}", reason)

    def add_census(self, taken: Taken, block: Block) -> None:
        """Keep the census of each side, with the digest of the data that it was taken on."""
        census = {side: replace(each, seed_digest=block.seed_digests[side]) for side, each in taken.census.items()}
        self._naming.add_census(taken)
        self._replace(
            replace(self.run, census=census, incidents=(*self.run.incidents, *map(self.mask, taken.incidents)))
        )

    def add_committed(self, committed: Mapping[Side, CommittedCensus]) -> None:
        """Keep what is accepted as the work of a request, so that the run can be judged from its file alone."""
        self._replace(replace(self.run, committed=committed))

    def add_base_endpoints(self, endpoints: Iterable[str]) -> None:
        """Keep what the base's Locust file asks, where the change edits that file."""
        self._replace(replace(self.run, base_endpoints=tuple(sorted(endpoints))))

    def add_block(self, name: int | str, block: Block) -> None:
        """Keep what only started targets can tell: their descriptions, and the digest of their data."""
        seeds = dict(self.run.seed_digests)
        for side, digest in block.seed_digests.items():
            before = seeds.get(side, ())
            if before and digest not in before:
                kept = f"; data outlives a block in {', '.join(block.outliving)}" if block.outliving else ""
                self.incident(f"the {side.value} of block {name} was seeded with other data ({digest[:12]}){kept}")
            seeds[side] = before if digest in before else (*before, digest)
        fingerprint = replace(
            self.run.fingerprint,
            seed_digest=self.run.fingerprint.seed_digest or next(iter(block.seed_digests.values()), ""),
            target={**self.run.fingerprint.target, **{s: self.mask(text) for s, text in block.descriptions.items()}},
        )
        self._replace(replace(self.run, fingerprint=fingerprint, seed_digests=seeds))

    def incident(self, text: str) -> None:
        """Keep a message about what went wrong."""
        self._replace(replace(self.run, incidents=(*self.run.incidents, self.mask(text))))

    def incident_once(self, what: str, why: str) -> None:
        """Keep a message about what went wrong, unless the same message is kept already."""
        if not any(known.startswith(f"{what}: ") for known in self.run.incidents):
            self.incident(f"{what}: {why}")

    def drop_base(self, reason: str, *, plan: LoadPlan) -> None:
        """Take the base out of the comparison, note the *reason*, and go on with the *plan* for one side."""
        commits = {Side.CANDIDATE: self.run.commits[Side.CANDIDATE]}
        incidents = (*self.run.incidents, self.mask(reason))
        fingerprint = replace(self.run.fingerprint, plan=plan)
        self._replace(replace(self.run, commits=commits, looks=None, incidents=incidents, fingerprint=fingerprint))

    def named(self) -> Run:
        """The run as far as it is measured, with the endpoints as they would be called if it ended now."""
        return self._naming.settled(self.run)

    def add_timing(self, timing: Timing) -> None:
        """Note how long a step took; it is written with what is kept next."""
        self.run = replace(self.run, timings=(*self.run.timings, timing))

    def finish(self) -> Run:
        """Mark the run as complete, every planned round is there, and name its endpoints for good."""
        self._replace(replace(self._naming.settled(self.run), complete=True))
        return self.run

    def _hidden(self, health: TargetHealth | None) -> TargetHealth | None:
        return health and replace(health, note=self.mask(health.note))

    def _replace(self, run: Run) -> None:
        store.save(run, self._file)
        self.run = run
