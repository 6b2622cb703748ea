"""`perfci worker`: drives the users of rounds that another machine measures."""

from pathlib import Path
from tempfile import TemporaryDirectory

from perfci.config import read
from perfci.pipeline.equipment import equipped
from perfci.pipeline.plan import Overrides, plan_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.secrecy import environment_of
from perfci.rig.host.masking import Mask, masking
from perfci.rig.host.tls import Tls, trusting
from perfci.rig.load.generator import Place
from perfci.rig.load.workers import serve
from perfci.schema import parse


def work(name: str, ports: Ports, config_file: str, *, master: tuple[str, int], wait_s: float) -> int:
    """
    Drive the users of "PROFILE[:SCENARIO]" for the *master* = (host, port); the number of rounds.

    Ends when no round came for *wait_s*. The locustfile and its variables are this machine's own; the target and the
    number of users are what the master says.
    """
    config = read(ports.root / config_file)
    plan = plan_of(config, name, Overrides(), root=ports.root)
    environ = environment_of(config, ports.environ, needed=config.secrets.load)
    mask = Mask(environ.hidden())
    ports.progress.hide(mask.values)
    tls = parse(Tls, config.target.get("tls", {}), where=f"{config_file}: [target].tls")
    plan = equipped(plan, ports, environ)
    with masking(mask), TemporaryDirectory(prefix="perfci-worker-") as folder:
        place = Place(
            source=ports.root,
            folder=Path(folder),
            environ=environ.giving(config.secrets.load),
            state=ports.state,
            watch=ports.progress.live,
            runtime=plan.runtime,
            mask=mask,
            trust=lambda: trusting([tls.of(ports.root)], into=Path(folder)),
        )
        return serve(plan.load, place, master=master, wait_s=wait_s, on_note=ports.progress.note)
