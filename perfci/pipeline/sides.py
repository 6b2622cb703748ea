"""The sides of a block: they come up, are seeded and go down together, and stop while those of the next block start."""

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from perfci.errors import BaseTargetError, DataThereError, SeedError, TargetError
from perfci.model import Side
from perfci.pipeline.copies import Copies
from perfci.pipeline.plan import SideSource
from perfci.pipeline.rig import RigSpec
from perfci.rig import seed, target
from perfci.rig.host import leftovers
from perfci.rig.host.environment import JobEnvironment
from perfci.rig.host.fingerprint import has_memory_for_as_much_again
from perfci.rig.host.placeholders import used
from perfci.rig.host.process import HURRY_S
from perfci.rig.host.trees import is_own
from perfci.rig.target import RunningTarget
from perfci.store import RunFolder


@dataclass(slots=True)
class Started:
    """The running sides of a block, and the data that each holds."""

    running: dict[Side, RunningTarget] = field(default_factory=dict)
    seed_digests: dict[Side, str] = field(default_factory=dict)
    seeding_s: float = 0.0  # from when all of them were up, and of starts that were only there to be copied


@dataclass(slots=True)
class Sides:
    """Starts, seeds and stops the sides of *spec*."""

    spec: RigSpec
    stopping: str = ""  # the block whose sides still stop
    _stops: list[Future[None]] = field(default_factory=list)
    _copies: Copies = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is started, and nothing copied yet."""
        self._copies = Copies(self.spec.copies)

    def prepare(self, side: Side) -> tuple[str, ...]:
        """Copy, build or pull what *side* starts; what the reader has to know about it."""
        source = self.spec.sources[side]
        with self._attribute_to_base(side):
            return target.prepare(
                source.target,
                source=source.tree,
                workspace=RunFolder(self.spec.folder).logs(side.value),
                state=self.spec.state,
                side=side,
                label=self._label(side, 0),
                environ=self._environ(self.spec.secrets.target),
                extra_env=self._values(self.spec.secrets.target),
                working_tree=self._working_tree(source),
                side_by_side=len(self.spec.sources) > 1,
            )

    @contextlib.contextmanager
    def started(
        self, order: Sequence[Side], block: int | str, on_incident: Callable[[str], None], *, overlap: bool
    ) -> Iterator[Started]:
        """
        The sides of a block, freshly started and seeded, begun in this *order*.

        They come up, are seeded and go down at the same time; where anything went wrong, they go down one by one. With
        *overlap* they may still be stopping when the context is left (`await_stop`).
        """
        with ExitStack() as stack:
            stack.callback(self.await_stop)
            began_s = time.monotonic()
            while True:
                with ExitStack() as attempt:
                    attempt_s = time.monotonic()
                    stacks = [attempt.enter_context(ExitStack()) for _ in order]
                    started = self._up(attempt, dict(zip(order, stacks, strict=True)), block, on_incident)
                    if started is not None:
                        stack.enter_context(attempt.pop_all())
                        break
                    self._stop(stacks, str(block))
                    self.await_stop()
            started.seeding_s += attempt_s - began_s
            yield started
            apart = overlap and self._apart(started)
            self._stop(stacks, str(block))
            if apart:
                stack.pop_all()
            else:
                self.await_stop()

    def _up(
        self, stack: ExitStack, stacks: Mapping[Side, ExitStack], block: int | str, on_incident: Callable[[str], None]
    ) -> Started | None:
        """
        Start the sides, each in a stack of its own, with their data; None where they have to be started once more.

        So it is where they were stopped to be copied, and where they do not hold what was copied.
        """
        copies = self._copies
        try:
            started = self._begun(stack, stacks, block, on_incident)
        except (TargetError, SeedError) as error:
            if not copies.made:
                raise
            self._seed_anew(str(error), on_incident)
            return None
        if copies.wanted:
            saves = {side: running.save for side, running in started.running.items()}
            if why := copies.obstacle(started.seed_digests, partial(self._digest, started), saves):
                self._seed_anew(why, on_incident)
                return started
            if why := copies.make(started.seed_digests, saves):
                self._seed_anew(why, on_incident)
            return None
        if copies.made and (why := copies.differ(started.seed_digests)):
            self._seed_anew(why, on_incident)
            return None
        return started

    def _seed_anew(self, why: str, on_incident: Callable[[str], None]) -> None:
        """Use no copies from now on, and tell the reader."""
        self._copies.give_up()
        on_incident(f"every start is seeded anew, and none begins with a copy of the data: {why}")

    def _begun(
        self, stack: ExitStack, stacks: Mapping[Side, ExitStack], block: int | str, on_incident: Callable[[str], None]
    ) -> Started:
        """The sides, started with a copy of their data, or seeded."""
        started, ready = Started(), {}
        for side, own in stacks.items():
            with self._attribute_to_base(side):
                ready[side] = own.enter_context(self._starting(side, block))
        seeding: dict[Side, Callable[[], str]] = {}
        with ExitStack() as seeds:
            for side in stacks:
                with self._attribute_to_base(side):
                    running = started.running[side] = ready[side]()
                    if self._copies.made:
                        seeding[side] = partial(self._digest, started, side)
                    else:
                        seeding[side] = _digest_of(seeds.enter_context(self._seeding(side, running)))
                if running.kind == "external":  # what perfci started itself takes its data with it
                    self._await_seed(seeding.pop(side), side, started)
                    stack.callback(self._clean, side, running, on_incident)
            up_s = time.monotonic()
            for side, digest in seeding.items():
                self._await_seed(digest, side, started)
            started.seeding_s = time.monotonic() - up_s
        return started

    def await_stop(self) -> None:
        """Return when nothing of an earlier block runs any more; at once, by force, where perfci is interrupted."""
        if self._stops and isinstance(sys.exception(), KeyboardInterrupt):
            leftovers.end_own(self.spec.state, environ=self.spec.environ)
        while self._stops:
            self._stops[-1].result()
            self._stops.pop()
        self.stopping = ""

    def _stop(self, stacks: Sequence[ExitStack], block: str) -> None:
        """Stop all sides of a *block* at the same time, and do not wait."""
        self.stopping = block
        pool = ThreadPoolExecutor()
        self._stops += [pool.submit(own.close) for own in stacks]
        pool.shutdown(wait=False)

    def _apart(self, started: Started) -> bool:
        """
        Whether the next block may start while these sides stop.

        They share nothing that is known of (`RunningTarget.apart`), nor is a side seeded into something of its own that
        every block finds, and there is memory for as much again as is in use.
        """
        lasting = any(used("side", [source.seed.model_dump_json()]) for source in self.spec.sources.values())
        return (
            has_memory_for_as_much_again()
            and not lasting
            and all(running.apart() for running in started.running.values())
        )

    @contextlib.contextmanager
    def _attribute_to_base(self, side: Side) -> Iterator[None]:
        """Mark a failure to start as the base's, so that the change under review is not blamed."""
        try:
            yield
        except (TargetError, SeedError) as error:
            if side is Side.CANDIDATE:
                raise
            hint = self._hint_at_absent_files(side, str(error)) or error.hint
            raise BaseTargetError(f"the base does not start: {error}", hint=hint) from error

    def _hint_at_absent_files(self, side: Side, failure: str) -> str:
        """Add the usual cause to the hint: the base lacks a file that an earlier step of the job made."""
        source, there = self.spec.sources[side], self.spec.working_tree
        if not is_own(source.tree):
            return ""
        names = target.absent(source.target, failure, source=source.tree, working_tree=there, environ=self.spec.environ)
        if not names:
            return ""
        return (
            f"the working tree has {', '.join(names[:3])}, but git and the base do not: name it in"
            f" `prepare = {{ copy = [{json.dumps(names[0])}] }}` of [target], on the base branch, too"
        )

    def _label(self, side: Side, block: int | str) -> str:
        """A name for what is started, unique on the machine."""
        return f"{self.spec.run_id}-{side.value}-{block}"

    def _working_tree(self, source: SideSource) -> Path | None:
        """The project's folder in the checkout, for a side whose tree is another one."""
        return self.spec.working_tree if is_own(source.tree) else None

    def _environ(self, secrets: Sequence[str]) -> JobEnvironment:
        """The environment of perfci, for a child that is given these *secrets*."""
        return self.spec.environ.giving(secrets)

    def _values(self, secrets: Sequence[str]) -> dict[str, str]:
        """The *secrets* that are set, with their values."""
        return {name: self.spec.environ[name] for name in secrets}

    def _starting(self, side: Side, block: int | str) -> AbstractContextManager[Callable[[], RunningTarget]]:
        source = self.spec.sources[side]
        return target.starting(
            source.target,
            source=source.tree,
            workspace=RunFolder(self.spec.folder).logs(f"{side.value}-{block}"),
            state=self.spec.state,
            side=side,
            label=self._label(side, block),
            environ=self._environ(self.spec.secrets.target),
            extra_env={**self._values(self.spec.secrets.target), **source.env},
            counted=self.spec.counted,
            side_by_side=len(self.spec.sources) > 1,
            working_tree=self._working_tree(source),
            data=self._copies.of(side),
        )

    def _digest(self, started: Started, side: Side) -> str:
        """Ask a running side for the digest of its data."""
        source, running = self.spec.sources[side], started.running[side]
        return seed.digest(
            source.seed,
            running.base_url,
            source=source.tree,
            environ=self._environ(self.spec.secrets.seed),
            state=self.spec.state,
            side=side,
            directory=running.directory,
            verify=running.verify,
        )

    def _seeding(self, side: Side, running: RunningTarget) -> AbstractContextManager[Callable[[], seed.Seeded]]:
        source: SideSource = self.spec.sources[side]
        return seed.seeding(
            source.seed,
            running.base_url,
            clear_first=False,
            source=source.tree,
            environ=self._environ(self.spec.secrets.seed),
            state=self.spec.state,
            own=running.kind != "external",
            side=side,
            directory=running.directory,
            verify=running.verify,
        )

    def _await_seed(self, digest: Callable[[], str], side: Side, started: Started) -> None:
        with self._attribute_to_base(side):
            try:
                started.seed_digests[side] = digest()
            except SeedError as error:
                if outliving := started.running[side].outliving:
                    raise SeedError(
                        f"{error}; data outlives a block in {', '.join(outliving)}", hint=error.hint
                    ) from error
                if isinstance(error, DataThereError) and started.running[side].kind == "external":
                    raise SeedError(str(error), hint=_make_room(started.running[side].base_url)) from error
                raise

    def _clean(self, side: Side, running: RunningTarget, on_incident: Callable[[str], None]) -> None:
        """Delete the seeded data from a service that runs on; where that fails, warn and keep the measurement."""
        source = self.spec.sources[side]
        try:
            seed.clean(
                source.seed,
                running.base_url,
                source=source.tree,
                environ=self._environ(self.spec.secrets.seed),
                state=self.spec.state,
                limit_s=HURRY_S if isinstance(sys.exception(), KeyboardInterrupt) else None,
                verify=running.verify,
            )
        except SeedError as error:
            on_incident(f"the data is still in {running.base_url}: {error}")


def _digest_of(seeded: Callable[[], seed.Seeded]) -> Callable[[], str]:
    """Wait for the end of a seeding, and return its digest."""
    return lambda: seeded().digest


def _make_room(url: str) -> str:
    """The next step where a service that runs on holds data of its own: perfci never removes what it did not make."""
    return (
        f"if it is test data, `perfci seed {url} --clean` removes it; if the service shall keep it, do not seed: "
        'kind = "none" in [environments.NAME.seed], with --environment NAME'
    )
