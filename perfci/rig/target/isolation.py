"""
Rewrites a resolved compose file so that its copy meets nothing else on the machine, another copy of it least of all.

Pure: what has to be looked up (folders, files, the engine) comes in `Copy`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perfci.errors import TargetError
from perfci.rig.target import addresses, images, sharing

Config = Mapping[str, Any]
Services = dict[str, dict[str, Any]]

BRIDGE_NAME = "com.docker.network.bridge.name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The names and settings of a copy, on which its isolation depends."""

    project: str
    service: str  # under test
    port: int  # inside the container of that service
    tag: str  # begins the names of the images that are built here
    build: bool
    prebuilt: Mapping[str, str] = field(default_factory=dict)  # images of a registry, by the service that they are for
    side_by_side: bool = False  # whether another copy runs at the same time
    root: str = "/"  # of the side's tree: what lies below it belongs to this side alone
    absent: frozenset[str] = frozenset()  # sources of bind mounts that do not exist
    untracked: frozenset[str] = frozenset()  # sources of bind mounts that exist, and of which git has no file
    texts: Mapping[str, str] = field(default_factory=dict)  # mounted files, by what to call them
    dockerfiles: Mapping[str, str] = field(default_factory=dict)  # by service that is built
    occupied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # external networks: who else is on them


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolated:
    """A copy of the project, with sentences about what could not be isolated."""

    config: dict[str, Any]
    publisher: str  # the service at which the engine publishes the port
    problems: tuple[str, ...]  # why it cannot run: not beside another copy, or not without fixed ports
    warnings: tuple[str, ...]  # what two copies share, as far as they may, or the blocks of one alone
    outliving: tuple[str, ...]  # volumes and folders whose data is still there in the next block


def isolate(config: Config, copy: Copy) -> Isolated:
    """
    The resolved *config* under the name of the copy, without what would make two copies meet.

    TargetError where the service under test cannot be reached, or has no image.
    """
    services: Services = {name: dict(each) for name, each in (config.get("services") or {}).items()}
    publisher = _publisher(services, copy.service)
    if not (replicas := _replicas(services[copy.service])):
        raise TargetError(
            f"the compose file starts no container of service {copy.service!r}: it has 0 replicas",
            hint="give it one in an override file: files in [target]",
        )
    found = sharing.examine(config, copy)
    tags = images.tags(services, prefix=copy.tag, build=copy.build, prebuilt=copy.prebuilt)
    fixed = addresses.fixed(config, copy.texts)
    networks = _networks(config, copy, fixed)
    published = {str(port.get("published")) for each in services.values() for port in each.get("ports") or []}
    for name, each in services.items():
        each.pop("ports", None)
        each.pop("profiles", None)  # compose has chosen by them, and would choose again
        _join_networks(each, networks)
        build = copy.build and name not in copy.prebuilt
        dockerfile = copy.dockerfiles.get(name, "")
        images.rename(name, each, tags, build=build, prebuilt=copy.prebuilt, dockerfile=dockerfile)
    for name, each in services.items():
        _keep_container_name(name, services, each)
    volumes = _unnamed(config.get("volumes") or {}) | _isolate_data_folders(services, copy)
    idle = [f"service {copy.service!r} has {replicas} replicas: all load goes to one of them"] if replicas > 1 else []
    services[publisher]["ports"] = [{"target": copy.port, "host_ip": "127.0.0.1", "protocol": "tcp"}]
    kept = {key: value for key, value in config.items() if key not in {"name", "services", "networks", "volumes"}}
    together = (*found.problems, *addresses.problems(fixed))
    own = {kind: things for kind, things in (("networks", networks), ("volumes", volumes)) if things}
    return Isolated(
        config={"name": copy.project, **kept, "services": services, **own},
        publisher=publisher,
        problems=(*sharing.host_ports(config, published), *(together if copy.side_by_side else ())),
        warnings=(*(found.warnings if copy.side_by_side else found.lasting), *idle),
        outliving=found.outliving,
    )


def _publisher(services: Services, service: str) -> str:
    """The service whose network namespace *service* uses."""
    if service not in services:
        raise TargetError(
            f"the compose file has no service {service!r}; it has {', '.join(sorted(services)) or 'none'}",
            hint="name the service that answers HTTP: service in [target]",
        )
    publisher, seen = service, {service}
    while (mode := str(services[publisher].get("network_mode") or "")).startswith("service:"):
        publisher = mode.removeprefix("service:")
        if publisher in seen or publisher not in services:
            break
        seen.add(publisher)
    if mode not in {"", "bridge"}:
        raise TargetError(
            f"the port of service {service!r} cannot be published: it has network_mode {mode!r}",
            hint="remove network_mode: perfci needs a port of its own for each copy",
        )
    return publisher


def _replicas(service: Mapping[str, Any]) -> int:
    """How many containers compose starts of *service*."""
    replicas = (service.get("deploy") or {}).get("replicas")
    return int(next((number for number in (service.get("scale"), replicas) if number is not None), 1))


def _networks(config: Config, copy: Copy, fixed: Mapping[str, addresses.Fixed]) -> dict[str, Any]:
    """
    The networks of the copy: no fixed names and, unless somebody goes by them, no fixed addresses.

    Side by side, an external network becomes one of the copy's own: on a common one the name of a service would lead
    to both copies.
    """
    networks = _unnamed(config.get("networks") or {})
    for name, network in networks.items():
        if network.get("external"):
            if copy.side_by_side:
                networks[name] = {}
            continue
        if name in fixed and not (fixed[name].mentioned and not copy.side_by_side):
            network["ipam"] = {key: value for key, value in network["ipam"].items() if key != "config"}
        if BRIDGE_NAME in (network.get("driver_opts") or {}):
            network["driver_opts"] = {k: v for k, v in network["driver_opts"].items() if k != BRIDGE_NAME}
    return networks


def _join_networks(service: dict[str, Any], networks: Mapping[str, Any]) -> None:
    """Remove the addresses of *service* in networks whose range is not fixed any more."""
    joined = service.get("networks") or {}
    for name, options in joined.items():
        given = ((networks.get(name) or {}).get("ipam") or {}).get("config") or (networks.get(name) or {}).get(
            "external"
        )
        if options and not given:
            joined = {**joined, name: {k: v for k, v in options.items() if k not in addresses.KEYS}}
    if joined:
        service["networks"] = joined


def _keep_container_name(name: str, services: Services, service: dict[str, Any]) -> None:
    """Keep the former container name as an alias, in the networks of this copy alone."""
    alias = service.pop("container_name", None)
    mode = str(service.get("network_mode") or "")
    owner = services.get(mode.removeprefix("service:"), {}) if mode.startswith("service:") else service
    joined = owner.get("networks") or {}
    if not alias or alias == name or (mode and owner is service):
        return
    owner["networks"] = {
        network: {
            **(options or {}),
            "aliases": [*(a for a in (options or {}).get("aliases") or [] if a != alias), alias],
        }
        for network, options in joined.items()
    }


def _isolate_data_folders(services: Services, copy: Copy) -> dict[str, Any]:
    """
    Give each writable folder that does not exist yet a fresh volume in its place.

    The engine would make an empty folder in the tree, and leave it there, with all data, for the next block.
    """
    volumes: dict[str, Any] = {}
    for service in services.values():
        mounts = service.get("volumes") or []
        folders = [mount for mount in mounts if sharing.is_data_folder(mount, copy)]
        names = {mount["source"]: _volume_name(mount["source"].removeprefix(copy.root)) for mount in folders}
        volumes |= {name: {} for name in names.values()}
        if folders:
            service["volumes"] = [_volume(each, names[each["source"]]) if each in folders else each for each in mounts]
    return volumes


def _volume(mount: Mapping[str, Any], name: str) -> dict[str, Any]:
    rest = {key: value for key, value in mount.items() if key not in {"type", "source", "bind"}}
    return {"type": "volume", "source": name, **rest, "volume": {"nocopy": True}}  # empty, as the folder would be


def _volume_name(folder: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", folder.lower()).strip("-")[:40]
    return f"perfci-{plain}-{hashlib.sha256(folder.encode()).hexdigest()[:6]}"


def _unnamed(things: Mapping[str, Any]) -> dict[str, Any]:
    def own(thing: Mapping[str, Any] | None) -> dict[str, Any]:
        given = dict(thing or {})
        return given if given.get("external") else {key: value for key, value in given.items() if key != "name"}

    return {name: own(thing) for name, thing in things.items()}
