"""`perfci run --web`: the service with its data, and Locust's own page beside it; nothing is measured or kept."""

import contextlib
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from perfci.config import read
from perfci.errors import ConfigError
from perfci.model import Side
from perfci.pipeline import job
from perfci.pipeline.measure import Bench, prepare
from perfci.pipeline.plan import plan_of, setup_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.run import Request
from perfci.rig import seed, target
from perfci.rig.load.page import page


def explore(request: Request, ports: Ports, *, port: int, told: Callable[[str], None]) -> None:
    """
    Start and fill what *request* names, as it is here, with Locust's page on *port*, until somebody interrupts.

    *told* is called with the addresses as soon as the page answers. From then on an interruption is the way to end, and
    this returns; before, it is raised as ever. Whatever was started is stopped.
    """
    if job.current(ports.environ) is not None:
        raise ConfigError("--web waits for somebody at a browser, and a runner has none", hint="leave --web out")
    config = read(ports.root / request.config_file).within(request.environment)
    plan = plan_of(config, request.profile, request.overrides, root=ports.root)
    setup = setup_of(config, source=ports.root, file=request.config_file)
    with contextlib.ExitStack() as stack:
        bench = Bench(
            plan=plan,
            setups={Side.CANDIDATE: setup},
            candidate_env=request.candidate_env,
            run_id=f"web-{secrets.token_hex(3)}",
            folder=Path(stack.enter_context(TemporaryDirectory(prefix="perfci-web-"))),
            ports=ports,
            counted=False,
        )
        prepare(bench)
        ports.progress.phase("starting and seeding")
        url = _filled(bench, stack)
        ports.progress.phase("starting Locust")
        shown = stack.enter_context(page(plan.load, base_url=url, place=bench.place("web"), port=port))
        ports.progress.close()
        told(f"Locust's page is at {shown.url}, the service at {url}; Ctrl-C stops both")
        with contextlib.suppress(KeyboardInterrupt):
            shown.wait()


def _filled(bench: Bench, stack: contextlib.ExitStack) -> str:
    """Where the candidate answers, with its data; what perfci did not start is emptied when *stack* is left."""
    setup, ports = bench.setups[Side.CANDIDATE], bench.ports
    running = stack.enter_context(
        target.start(
            setup.target,
            source=setup.source,
            workspace=bench.folder / "target",
            state=ports.state,
            side=Side.CANDIDATE,
            label=bench.label(Side.CANDIDATE, 1),
            environ=ports.environ,
            extra_env=bench.candidate_env,
            counted=False,
        )
    )
    own = running.kind != "external"
    seed.seed(
        setup.seed,
        running.base_url,
        clear_first=False,
        source=setup.source,
        environ=ports.environ,
        state=ports.state,
        own=own,
    )
    if not own:
        clean = partial(seed.clean, source=setup.source, environ=ports.environ, state=ports.state)
        stack.callback(clean, setup.seed, running.base_url)
    return running.base_url
