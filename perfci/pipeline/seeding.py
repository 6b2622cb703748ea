"""`perfci seed`: puts the configured data into a service that already runs."""

from collections.abc import Mapping
from typing import Any

from perfci.config import read
from perfci.errors import SeedError
from perfci.pipeline.ports import Ports
from perfci.pipeline.secrecy import environment_of
from perfci.rig import seed, target


def seed_url(
    url: str,
    ports: Ports,
    config_file: str,
    environment: str | None,
    *,
    clear_first: bool,
    clean: bool,
    rng_seed: int | None,
    counts: Mapping[str, int],
) -> str:
    """
    Seed or clean the service at *url*; returns what was done, for the reader. Foreign hosts are refused.

    *rng_seed* and *counts* replace those of the configuration, a count that is not named stays.
    """
    config = read(ports.root / config_file).within(environment)
    environ = environment_of(config, ports.environ, needed=config.secrets.seed).giving(config.secrets.seed)
    given: dict[str, Any] = {} if rng_seed is None else {"rng_seed": rng_seed}
    if counts:
        given["counts"] = {**config.seed.get("counts", {}), **counts}
    table = {**config.seed, **given}
    options = seed.parse(table, where=f"{config_file}: [seed]")
    allowed = config.target.get("allow_hosts", ()) if config.target.get("kind") == "external" else ()
    target.parse({"kind": "external", "url": url, "allow_hosts": allowed}, where="the URL")  # refuses strangers' hosts
    if clean:
        if not seed.clean(options, url, source=ports.root, environ=environ, state=ports.state):
            raise SeedError("nothing takes the data out again", hint=f"{config_file} has no clean in [seed]")
        return f"the data of {config_file} was deleted from {url}"
    seeded = seed.seed(options, url, clear_first=clear_first, source=ports.root, environ=environ, state=ports.state)
    created = ", ".join(f"{count} {what}" for what, count in seeded.created.items()) or "nothing"
    return f"created {created}; digest {seeded.digest[:16]}"
