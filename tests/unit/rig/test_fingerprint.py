"""What perfci knows of the machine."""

import re
import socket
from pathlib import Path

from perfci.rig.fingerprint import machine


def test_says_what_the_machine_is_and_not_its_name() -> None:
    """Every field has a value, and the host's name is in none of them."""
    here = machine()
    assert here.cpu_model
    assert here.cores >= 1
    assert here.memory_mb > 100
    assert here.system
    assert here.kernel
    assert re.fullmatch("[0-9a-f]{12}", here.id)
    assert socket.gethostname() not in {here.id, here.cpu_model, here.system, here.kernel}


def test_is_the_same_twice() -> None:
    """Two questions, one answer."""
    assert machine() == machine()


def _proc(folder: Path, cpuinfo: str, boot: str = "b") -> Path:
    (folder / "sys/kernel/random").mkdir(parents=True)
    (folder / "sys/kernel/random/boot_id").write_text(boot)
    (folder / "cpuinfo").write_text(cpuinfo)
    return folder


def test_model_of_x86(tmp_path: Path) -> None:
    """The model's name is one line with single spaces."""
    proc = _proc(tmp_path, "processor\t: 0\nmodel name\t: Intel(R)  Xeon(R) CPU @ 2.20GHz\n")
    assert machine(proc=proc).cpu_model == "Intel(R) Xeon(R) CPU @ 2.20GHz"


def test_model_of_arm(tmp_path: Path) -> None:
    """ARM names no model: its part numbers tell two apart."""
    proc = _proc(tmp_path, "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n")
    assert machine(proc=proc).cpu_model.endswith(" 0x41 0xd0c")


def test_without_proc(tmp_path: Path) -> None:
    """Where there is no /proc the model is still something."""
    assert machine(proc=tmp_path).cpu_model


def test_another_start_of_the_machine_is_another_machine(tmp_path: Path) -> None:
    """Hosted machines are clones: only their start-up tells them apart."""
    one, other = (_proc(tmp_path / boot, "", boot) for boot in ("x", "y"))
    assert machine(proc=one).id != machine(proc=other).id
