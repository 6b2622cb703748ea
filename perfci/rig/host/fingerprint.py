"""Describes the machine that measures, which decides whether times of two runs may be compared."""

import hashlib
import os
import platform
import re
import socket
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import psutil

from perfci import __version__
from perfci.model import Machine

_PROC = Path("/proc")
_ROOT = Path("/")
_UNLIMITED = 2**60  # bytes: what the first version of control groups says for none
_SALT = "perfci machine"  # so that the digest matches no other list of digests of host names


def machine(*, proc: Path = _PROC, root: Path = _ROOT, environ: Mapping[str, str] = os.environ) -> Machine:
    """The fingerprint of this machine; without *proc* (macOS), what the standard library can tell."""
    return Machine(
        cpu_model=_cpu_model(_read(proc / "cpuinfo")),
        cores=_cores(),
        memory_mb=int(psutil.virtual_memory().total) // (1024 * 1024),
        system=_system(),
        kernel=platform.release(),
        id=_digest(_read(proc / "sys/kernel/random/boot_id")),
        kind=_kind(root, environ),
        image=" ".join(environ[name] for name in ("ImageOS", "ImageVersion") if environ.get(name)),
        cpu_limit=round(_cpu_limit(proc, root), 2),
        memory_limit_mb=_memory_limit(proc, root) // (1024 * 1024),
    )


def has_memory_for_as_much_again() -> bool:
    """Whether no more than half of the machine's memory is in use."""
    return bool(psutil.virtual_memory().percent <= 50)


def versions() -> dict[str, str]:
    """The versions of the programs that measure."""
    own = {"perfci": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in ("locust", "gevent")}


def _kind(root: Path, environ: Mapping[str, str]) -> str:
    """The kind of this machine (a hosted runner, a container, ...), as far as it can be found out."""
    if environ.get("GITHUB_ACTIONS") == "true" and environ.get("RUNNER_ENVIRONMENT"):
        return environ["RUNNER_ENVIRONMENT"]
    if any((root / mark).exists() for mark in (".dockerenv", "run/.containerenv")):
        return "container"
    supplies = root / "sys/class/power_supply"
    batteries = [
        supply
        for supply in supplies.glob("*")
        if _read(supply / "type") == "Battery" and _read(supply / "scope") != "Device"
    ]
    return "laptop" if batteries else "machine"


def _groups(proc: Path, root: Path, controller: str) -> list[Path]:
    """
    The control groups that this process is in, from its own to the outermost, for both versions of them (cgroups(7)).

    A container sees itself as the outermost, whatever its path says: then only that one is there.
    """
    found = []
    for line in _read(proc / "self/cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / (controller if controllers else "")
        own = top / path.lstrip("/")
        found += [group for group in (own, *own.parents) if group.is_relative_to(top)]
    return found


def _cpu_limit(proc: Path, root: Path) -> float:
    """The smallest CPU quota of all control groups, in cores; 0 where there is none."""
    limits = []
    for group in _groups(proc, root, "cpu"):
        both = _read(group / "cpu.max").split() or [_read(group / f"cpu.cfs_{part}_us") for part in ("quota", "period")]
        if all(part.isdigit() for part in both):
            limits.append(int(both[0]) / int(both[1]))
    return min(limits, default=0.0)


def _memory_limit(proc: Path, root: Path) -> int:
    """The smallest memory limit of all control groups, in bytes; 0 where there is none."""
    files = ("memory.max", "memory.limit_in_bytes")
    said = [_read(group / file) for group in _groups(proc, root, "memory") for file in files]
    return min((int(text) for text in said if text.isdigit() and int(text) < _UNLIMITED), default=0)


def _cpu_model(cpuinfo: str) -> str:
    """The name of the processor from /proc/cpuinfo; on ARM, where it is missing, the part numbers."""
    facts = dict(re.findall(r"^([^:\n]+?)\s*:\s*(.+)$", cpuinfo, re.MULTILINE))
    if "model name" in facts:
        return " ".join(facts["model name"].split())
    parts = [facts[key] for key in ("CPU implementer", "CPU part") if key in facts]
    return " ".join([platform.machine(), *parts]) if parts else platform.processor() or platform.machine() or "unknown"


def _cores() -> int:
    """The cores that this process may use, which in a container are fewer than the machine has."""
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1


def _system() -> str:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return f"{platform.system()} {platform.mac_ver()[0]}".strip()
    return release.get("PRETTY_NAME") or release["NAME"]


def _digest(boot_id: str) -> str:
    """An id of this machine and its boot, with the host name, since clones of one image share the machine id."""
    known = (_SALT, _read(Path("/etc/machine-id")), boot_id, socket.gethostname())
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
