"""
Measures what monitoring costs: `python -m bench.monitoring [--compose]`.

The demo service is started and watched while nothing is asked of it, in whole rounds, in slices, and with a page of
three gauges. Printed is perfci's own processor time meanwhile, as a share of one core: it does nothing else.
"""

import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from perfci.config import read
from perfci.model import Side
from perfci.rig import monitor, target

ROOT = Path(__file__).parents[1]
OPENING_S = 3.0  # until all sources are open
METRICS = ("demo_cache_lookups_total", "demo_db_statements_total", "process_resident_memory_bytes")
PAGE = {f"gauge-{number}": {"url": "/metrics", "metric": name} for number, name in enumerate(METRICS)}
WAYS: Mapping[str, tuple[bool, Mapping[str, Any]]] = {
    "whole rounds": (False, {}),
    "slices": (True, {}),
    "whole rounds, a page with three gauges": (False, PAGE),
}


@click.command()
@click.option("--compose", is_flag=True, help="the demo as a compose project, with PostgreSQL and Redis")
@click.option("--seconds", default=12.0, show_default=True, help="watched in each way")
def main(compose: bool, seconds: float) -> None:
    """Print the share of a core that the monitor uses."""
    config = read(ROOT / "perfci.toml").within("compose" if compose else None)
    options = target.parse(config.target, where="[target]")
    with tempfile.TemporaryDirectory() as folder:
        here: dict[str, Any] = {"source": ROOT, "workspace": Path(folder), "state": Path(folder) / "state"}
        here |= {"side": Side.CANDIDATE, "label": f"monitoring{os.getpid()}", "environ": os.environ}
        target.prepare(options, **here)
        with target.start(options, **here) as running:
            for way, (sliced, gauges) in WAYS.items():
                settings = monitor.parse(gauges, where="the bench")
                with monitor.monitoring(running, settings, environ=os.environ, sliced=sliced):
                    time.sleep(OPENING_S)
                    before = time.process_time()
                    time.sleep(seconds)
                    share = (time.process_time() - before) / seconds
                click.echo(f"{way}: {100 * share:.2f} % of a core")


if __name__ == "__main__":
    main()
