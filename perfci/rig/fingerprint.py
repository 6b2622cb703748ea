"""The machine that measures: what decides whether clocks of two runs may be compared."""

import hashlib
import platform
import re
import socket
from pathlib import Path

import psutil

from perfci.model import Machine

_PROC = Path("/proc")
_SALT = "perfci machine"  # so that the digest matches no other list of digests of host names


def machine(*, proc: Path = _PROC) -> Machine:
    """This machine; where there is no *proc* (macOS), what the standard library knows of it."""
    return Machine(
        cpu_model=_cpu_model(_read(proc / "cpuinfo")),
        cores=_cores(),
        memory_mb=int(psutil.virtual_memory().total) // (1024 * 1024),
        system=_system(),
        kernel=platform.release(),
        id=_digest(_read(proc / "sys/kernel/random/boot_id")),
    )


def _cpu_model(cpuinfo: str) -> str:
    """The processor's name; on ARM, which has none there, its part numbers."""
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
    """Machines cloned from one image share their machine id; start-up and host name tell them apart."""
    known = (_SALT, _read(Path("/etc/machine-id")), boot_id, socket.gethostname())
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:12]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
