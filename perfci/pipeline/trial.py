"""Starts the target once and sends the requests of each task: what `perfci doctor` looks at."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from perfci.config import CensusTable, Config
from perfci.model import Census, CounterSource, Side
from perfci.pipeline.equipment import equipped
from perfci.pipeline.live_rig import LiveRig
from perfci.pipeline.plan import Overrides, Plan, SideSource, plan_of, source_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.rig import RigSpec
from perfci.pipeline.secrecy import environment_of
from perfci.rig.host.masking import Mask, masking
from perfci.rig.load.tried import Tried, read_tried
from perfci.store import RunFolder

REQUESTS = 8
"""To each endpoint, beside the first: enough to see whether it varies, few enough for a look."""

LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What one start of the target showed, and how long each step took, in seconds."""

    plan: Plan
    seed_kind: str
    target_kind: str
    tried: Mapping[str, Tried]  # by endpoint
    census: Census
    notes: tuple[str, ...]  # of the load generator, and of the target's preparation
    outliving: tuple[str, ...]  # volumes and folders whose data the next start would find
    prepare_s: float
    start_s: float
    seed_s: float
    stop_s: float

    @property
    def sources(self) -> tuple[CounterSource, ...]:
        """The counters that were looked for."""
        return self.census.sources


def attempt(config: Config, name: str, ports: Ports, *, file: str) -> Trial:
    """
    Prepare, start and seed the target, send every task's requests one at a time, and stop it.

    PerfciError where any of this fails; nothing is kept, and what was started is stopped.
    """
    plan = plan_of(config, name, Overrides(), root=ports.root)
    source = source_of(config, tree=ports.root, file=file)
    environ = environment_of(config, ports.environ)
    mask = Mask(environ.hidden())
    with masking(mask), TemporaryDirectory(prefix="perfci-doctor-") as folder:
        spec = RigSpec(
            plan=equipped(plan, ports, environ),
            sources={Side.CANDIDATE: source},
            load_tree=source.tree,
            run_id=f"doctor-{secrets.token_hex(3)}",
            folder=Path(folder),
            environ=environ,
            secrets=config.secrets,
            mask=mask,
            working_tree=ports.root,
            state=ports.state,
            progress=ports.progress,
        )
        return _tried_out(LiveRig(spec), source, config.census, ports)


def _tried_out(rig: LiveRig, source: SideSource, census: CensusTable, ports: Ports) -> Trial:
    notes: list[str] = []
    ports.progress.phase("preparing the target")
    began_s = ports.clock()
    rig.prepare(Side.CANDIDATE, on_incident=notes.append)
    prepared_s = ports.clock()
    ports.progress.phase("starting and seeding")
    with rig.block("doctor", (Side.CANDIDATE,), duet=False, on_incident=notes.append) as block:
        up_s = ports.clock()
        table = census.model_copy(update={"requests": REQUESTS, "seconds": LIMIT_S})
        taken = block.census(table, on_progress=lambda *_: None)
        tried = read_tried(RunFolder(rig.spec.folder).logs("census"))
        outliving, seeding_s, ending_s = block.outliving, block.seeding_s, ports.clock()
    return Trial(
        plan=rig.spec.plan,
        seed_kind=source.seed.kind,
        target_kind=source.target.kind,
        tried=tried,
        census=taken.census[Side.CANDIDATE],
        notes=(*notes, *taken.incidents),
        outliving=outliving,
        prepare_s=prepared_s - began_s,
        start_s=up_s - prepared_s - seeding_s,
        seed_s=seeding_s,
        stop_s=ports.clock() - ending_s,
    )
