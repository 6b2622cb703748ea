"""`perfci run --web`: starts the seeded service and Locust's web page; nothing is measured or stored."""

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from perfci.config import read
from perfci.errors import ConfigError
from perfci.model import Side
from perfci.pipeline import job
from perfci.pipeline.equipment import equipped
from perfci.pipeline.live_rig import LiveRig
from perfci.pipeline.plan import plan_of, source_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.request import Request
from perfci.pipeline.rig import RigSpec
from perfci.pipeline.secrecy import environment_of
from perfci.rig.host.masking import Mask, masking
from perfci.rig.load.page import page


def explore(request: Request, ports: Ports, *, port: int, on_ready: Callable[[str], None]) -> None:
    """
    Start and seed the service of the working tree, and serve Locust's page on *port* until interrupted.

    *on_ready* is called with the addresses as soon as the page answers. From then on an interruption is the way to
    end, and this returns; before, it is raised as ever. Whatever was started is stopped.
    """
    if job.current(ports.environ) is not None:
        raise ConfigError("--web waits for somebody at a browser, and a runner has none", hint="leave --web out")
    config = read(ports.root / request.config_file).within(request.environment).at(request.host)
    plan = plan_of(config, request.profile, request.overrides, root=ports.root)
    source = source_of(config, tree=ports.root, file=request.config_file, env=request.candidate_env)
    environ = environment_of(config, ports.environ)
    mask = Mask(environ.hidden())
    plan = equipped(plan, ports, environ)
    with masking(mask), TemporaryDirectory(prefix="perfci-web-") as folder:
        rig = LiveRig(
            RigSpec(
                plan=plan,
                sources={Side.CANDIDATE: source},
                load_tree=source.tree,
                run_id=f"web-{secrets.token_hex(3)}",
                folder=Path(folder),
                environ=environ,
                secrets=config.secrets,
                mask=mask,
                working_tree=ports.root,
                state=ports.state,
                progress=ports.progress,
                counted=False,
            )
        )
        ports.progress.phase("preparing the candidate")
        rig.prepare(Side.CANDIDATE, on_incident=ports.progress.note)
        ports.progress.phase("starting and seeding")
        with rig.block("web", (Side.CANDIDATE,), duet=False, on_incident=ports.progress.note) as block:
            url = block.base_url(Side.CANDIDATE)
            ports.progress.phase("starting Locust")
            with page(plan.load, base_url=url, place=rig.place("web"), port=port) as shown:
                ports.progress.close()
                on_ready(f"Locust's page is at {shown.url}, the service at {url}; Ctrl-C stops both")
                with contextlib.suppress(KeyboardInterrupt):
                    shown.wait()
