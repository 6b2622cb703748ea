"""What perfci knows of the machine."""

import re
import socket
from pathlib import Path

import pytest

from perfci.rig.host.fingerprint import machine, versions


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
    first, second = (_proc(tmp_path / boot, "", boot) for boot in ("x", "y"))
    assert machine(proc=first).id != machine(proc=second).id


def _files(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    return root


@pytest.mark.parametrize(
    ("groups", "files", "cores", "mb"),
    [
        ("0::/", {"cpu.max": "150000 100000", "memory.max": "536870912"}, 1.5, 512),
        ("0::/a/b", {"cpu.max": "max 100000", "a/cpu.max": "50000 100000", "a/b/cpu.max": "80000 100000"}, 0.5, 0),
        ("0::/a", {"a/memory.max": "max", "memory.max": "1073741824"}, 0.0, 1024),
        ("0::/../gone", {"cpu.max": "200000 100000"}, 2.0, 0),
        (
            "4:memory:/d\n3:cpu,cpuacct:/d\n1:name=systemd:/d",
            {
                "cpu/d/cpu.cfs_quota_us": "75000",
                "cpu/d/cpu.cfs_period_us": "50000",
                "memory/d/memory.limit_in_bytes": "268435456",
            },
            1.5,
            256,
        ),
        (
            "4:memory:/\n3:cpu:/",
            {
                "cpu/cpu.cfs_quota_us": "-1",
                "cpu/cpu.cfs_period_us": "100000",
                "memory/memory.limit_in_bytes": "9223372036854771712",
            },
            0.0,
            0,
        ),
        ("", {}, 0.0, 0),
    ],
)
def test_limits_of_control_groups(tmp_path: Path, groups: str, files: dict[str, str], cores: float, mb: int) -> None:
    """The narrowest of all groups that this process is in, in both versions of them."""
    _files(tmp_path, {f"sys/fs/cgroup/{name}": content + "\n" for name, content in files.items()})
    _files(tmp_path, {"proc/self/cgroup": groups + "\n"})
    found = machine(proc=tmp_path / "proc", root=tmp_path, environ={})
    assert (found.cpu_limit, found.memory_limit_mb) == (cores, mb)


@pytest.mark.parametrize(
    ("environ", "files", "kind"),
    [
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "github-hosted"}, {".dockerenv": ""}, "github-hosted"),
        ({"GITHUB_ACTIONS": "true", "RUNNER_ENVIRONMENT": "self-hosted"}, {}, "self-hosted"),
        ({"RUNNER_ENVIRONMENT": "self-hosted"}, {"run/.containerenv": ""}, "container"),
        ({}, {"sys/class/power_supply/BAT0/type": "Battery"}, "laptop"),
        (
            {},
            {"sys/class/power_supply/mouse/type": "Battery", "sys/class/power_supply/mouse/scope": "Device"},
            "machine",
        ),
        ({}, {"sys/class/power_supply/AC/type": "Mains"}, "machine"),
    ],
)
def test_kind_of_host(tmp_path: Path, environ: dict[str, str], files: dict[str, str], kind: str) -> None:
    """As the runner says, else as the machine looks."""
    assert machine(root=_files(tmp_path, files), environ=environ).kind == kind


def test_image_of_a_hosted_runner(tmp_path: Path) -> None:
    """Name and version; elsewhere there is none."""
    environ = {"ImageOS": "ubuntu24", "ImageVersion": "20261101.1"}
    assert machine(environ=environ).image == "ubuntu24 20261101.1"
    assert machine(environ={}).image == ""


def test_versions_of_what_measures() -> None:
    """Each is a number with a dot."""
    assert set(versions()) == {"perfci", "python", "locust", "gevent"}
    assert all(re.match(r"\d+\.\d+", number) for number in versions().values())
