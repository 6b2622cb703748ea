"""Finds what two copies of a compose project would share, and data that outlives a block."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

SYSTEM = ("/dev", "/etc", "/lib/modules", "/proc", "/sys", "/usr")
"""Folders of the machine itself; mounts of these hold no data of the project."""

SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
HARMLESS_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/fuse", "/dev/net/tun")


class Copy(Protocol):
    """The attributes of `isolation.Copy` that are needed here."""

    @property
    def side_by_side(self) -> bool: ...
    @property
    def root(self) -> str: ...
    @property
    def absent(self) -> frozenset[str]: ...
    @property
    def untracked(self) -> frozenset[str]: ...
    @property
    def occupied(self) -> Mapping[str, tuple[str, ...]]: ...


@dataclass(frozen=True, slots=True)
class Shared:
    """Sentences for the reader, each of which names the service or volume."""

    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    lasting: tuple[str, ...]  # for one copy alone: data that its next block finds, the machine's own network
    outliving: tuple[str, ...]


def examine(config: Mapping[str, Any], copy: Copy) -> Shared:
    """Find what a resolved *config* shares with another copy, and which data outlives it."""
    problems, warnings, lasting = [*_network_problems(config, copy)], [], []
    volumes = config.get("volumes") or {}
    outliving: dict[str, None] = {}
    for name, service in (config.get("services") or {}).items():
        problems += [f"service {name!r} has {what}" for what in _namespaces(service)]
        warnings += [f"service {name!r} {what}" for what in _of_machine(service)]
        if service.get("network_mode") == "host":
            lasting.append(f"service {name!r} has network_mode 'host': its ports are those of the machine")
        for mount in service.get("volumes") or []:
            what, shared = _mount(mount, volumes, copy)
            if what in SOCKETS:
                warnings.append(f"service {name!r} can reach the Docker engine ({what}), and both copies through it")
            elif what and shared and mount.get("read_only"):
                warnings.append(f"both copies read {what}, which service {name!r} mounts")
            elif what and not mount.get("read_only"):
                outliving[what] = None
                untracked = mount.get("source") in copy.untracked
                if shared:
                    problems.append(f"service {name!r} writes to {what}: both copies would share the data")
                elif untracked:
                    warnings.append(
                        f"service {name!r} writes to {what}, of which git has nothing: the sides' data may differ"
                    )
                if shared or untracked:
                    lasting.append(f"service {name!r} writes to {what}: what a block leaves there, the next one finds")
    return Shared(tuple(problems), tuple(warnings), tuple(lasting), tuple(outliving))


def host_ports(config: Mapping[str, Any], published: set[str]) -> Iterator[str]:
    """Services that connect to another one by a port of the machine, which perfci does not publish."""
    for name, service in (config.get("services") or {}).items():
        text = json.dumps([service.get("environment"), service.get("command"), service.get("entrypoint")])
        for port in dict.fromkeys(re.findall(r"(?:host\.docker\.internal|172\.17\.0\.1):(\d+)", text)):
            if port in published:
                yield (
                    f"service {name!r} reaches port {port} of the machine, at which this compose file publishes a"
                    " service: perfci publishes no fixed ports; name the service instead"
                )


def is_data_folder(mount: Mapping[str, Any], copy: Copy) -> bool:
    """Whether *mount* is a writable folder of the side's tree that the engine has to create."""
    source = str(mount.get("source") or "")
    others = copy.absent - {source}
    nested = any(_below(source, other) or _below(other, source) for other in others)
    return (
        mount.get("type") == "bind"
        and bool((mount.get("bind") or {}).get("create_host_path"))
        and not mount.get("read_only")
        and source in copy.absent
        and _below(source, copy.root)
        and not nested
        and not PurePosixPath(source).suffix
    )


def _network_problems(config: Mapping[str, Any], copy: Copy) -> Iterator[str]:
    for name, network in (config.get("networks") or {}).items():
        given = network or {}
        real = str(given.get("name") or name)
        if given.get("external") and (others := copy.occupied.get(real)):
            yield (
                f"network {real!r} is external, and {', '.join(others[:3])} is on it: on one network the names of the"
                " services lead to both copies"
            )
        if given.get("driver") in {"macvlan", "ipvlan"}:
            yield f"network {name!r} has the driver {given['driver']!r}: both copies would use one interface"


def _namespaces(service: Mapping[str, Any]) -> Iterator[str]:
    """Settings that a container would share with that of another copy."""
    for key, host in (("network_mode", True), ("ipc", True), ("pid", False)):
        mode = str(service.get(key) or "")
        if (host and mode == "host") or mode.startswith("container:"):
            yield f"{key} {mode!r}: both copies would be in one namespace"
    for source in service.get("volumes_from") or []:
        if str(source).startswith("container:"):
            yield f"volumes_from {source!r}: both copies would share the data"
    for link in service.get("external_links") or []:
        yield f"the external link {link!r}: both copies would use one container"


def _of_machine(service: Mapping[str, Any]) -> Iterator[str]:
    """Settings that give access to the machine, which both copies share; they are left as they are."""
    if service.get("privileged"):
        yield "is privileged: it can reach the whole machine and the other copy"
    if service.get("pid") == "host":
        yield "has pid 'host': it sees the processes of both copies"
    for device in service.get("devices") or []:
        source = str(device.get("source") if isinstance(device, Mapping) else device).split(":")[0]
        if source not in HARMLESS_DEVICES:
            yield f"has the device {source}, which both copies use"
    reserved = (((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}).get("devices")
    if reserved or service.get("gpus"):
        yield "has GPUs or the like, which both copies use"
    if service.get("cgroup_parent"):
        yield f"has cgroup_parent {service['cgroup_parent']!r}, whose limits hold for both copies together"
    if any("host-gateway" in str(host) for host in service.get("extra_hosts") or []):
        yield "has a name for the machine (host-gateway): what it reaches there, both copies share"


def _mount(mount: Mapping[str, Any], volumes: Mapping[str, Any], copy: Copy) -> tuple[str, bool]:
    """The name of the data of *mount*, "" where it is removed with the copy, and whether both copies use it."""
    source = str(mount.get("source") or "")
    if mount.get("type") == "bind":
        return ("", False) if is_data_folder(mount, copy) else _bind(source, bool(mount.get("read_only")), copy)
    volume = (volumes.get(source) or {}) if mount.get("type") == "volume" else {}
    options = volume.get("driver_opts") or {}
    if volume.get("external"):
        return f"the external volume {str(volume.get('name') or source)!r}", True
    if options.get("device") and options.get("type") != "tmpfs":
        return f"the volume {source!r}, which is {options['device']}", not _below(str(options["device"]), copy.root)
    return "", False


def _bind(source: str, read_only: bool, copy: Copy) -> tuple[str, bool]:
    if _below(source, copy.root):
        return f"{PurePosixPath(source).relative_to(copy.root)} in the tree", False
    if source in SOCKETS:
        return source, True
    if read_only or any(_below(source, folder) for folder in SYSTEM):
        return "", False
    return f"{source} outside of the project", True


def _below(path: str, folder: str) -> bool:
    return PurePosixPath(path).is_relative_to(folder)
