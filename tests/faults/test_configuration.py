"""Mistakes in the configuration, told by the program before anything starts."""

from pathlib import Path

import pytest

from perfci.errors import ExitCode
from tests.fakes.shell import Perfci
from tests.faults import Fault, fault

TOML = """
{top}
[target]
kind = "command"
command = ["serve", "{{port}}"]
[profiles.shop]
locustfile = "{file}"
scenarios.smoke = {{{scenario}}}
{end}
"""
USAGE = ExitCode.USAGE
CHECK = "docs/configuration.md names every key; `perfci doctor --no-start` checks the file"


def _toml(*, top: str = "", file: str = "shop.py", scenario: str = "", end: str = "") -> bytes:
    return TOML.format(top=top, file=file, scenario=scenario, end=end).encode()


@pytest.mark.parametrize(
    ("content", "arguments"),
    [
        pytest.param(
            None,
            [],
            marks=fault(
                "configuration",
                "file missing",
                seen="there is no …perfci.toml",
                then="run perfci where your perfci.toml is, or name it with --config",
                exit=USAGE,
            ),
        ),
        pytest.param(
            b"[target\n",
            [],
            marks=fault(
                "configuration", "not TOML", seen="perfci.toml is not TOML: … (at line 1, …", then=CHECK, exit=USAGE
            ),
        ),
        pytest.param(
            b"# caf\xe9\n",
            [],
            marks=fault(
                "configuration",
                "not UTF-8",
                seen="perfci.toml is not UTF-8 (byte 5)",
                then="save it as UTF-8",
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(top="agianst = 1"),
            [],
            marks=fault(
                "configuration",
                "unknown key",
                seen="perfci.toml cannot be used: agianst: unknown key",
                then=CHECK,
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(scenario='users = "many"'),
            [],
            marks=fault(
                "configuration",
                "wrong type",
                seen="profiles.shop.scenarios.smoke.users: input should be a valid integer… (got 'many')",
                then=CHECK,
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(),
            ["shoq"],
            marks=fault(
                "configuration",
                "unknown profile",
                seen="no profile 'shoq'",
                then="the profiles are: shop",
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(),
            ["shop:soak"],
            marks=fault(
                "configuration",
                "unknown scenario",
                seen="profile 'shop' has no scenario 'soak'",
                then="its scenarios are: smoke",
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(end="[gate.budget.ref.duet]\nservice_time = { change = 0.2, margin = 0.1 }"),
            [],
            marks=fault(
                "configuration",
                "contradictory limits",
                seen="[gate] contradicts itself: budget.ref.duet.service_time: a change of 0.2 is allowed, "
                "a margin of 0.1 is narrower",
                then="a margin is at least as wide as the change",
                exit=USAGE,
                case="a margin below the change",
            ),
        ),
        pytest.param(
            _toml(end='[[gate.slo]]\nmetric = "p95"\nlimit = 1\n[[gate.slo]]\nmetric = "p95"\nlimit = 2'),
            [],
            marks=fault(
                "configuration",
                "contradictory limits",
                seen="[gate] contradicts itself: slo: 2 limits on p95 of (all endpoints)",
                then="keep one",
                exit=USAGE,
                case="two limits on the same",
            ),
        ),
        pytest.param(
            _toml(file="../shop.py"),
            [],
            marks=fault(
                "configuration",
                "path outside the project",
                seen="the locustfile '../shop.py' lies outside the project",
                then="move it below",
                exit=USAGE,
            ),
        ),
        pytest.param(
            _toml(file="gone.py"),
            [],
            marks=fault(
                "load",
                "locustfile missing",
                seen="the locustfile gone.py cannot be read: No such file or directory",
                then="check locustfile in [profiles.shop]",
                exit=USAGE,
            ),
        ),
    ],
)
def test_a_mistake_is_told_before_anything_starts(
    perfci: Perfci, tmp_path: Path, expected: Fault, content: bytes | None, arguments: list[str]
) -> None:
    """Exit code 2, nothing on standard output, and no folder of a run."""
    (tmp_path / "shop.py").write_text("")
    if content is not None:
        (tmp_path / "perfci.toml").write_bytes(content)
    code, out, err = perfci("run", *(arguments or ["shop"]), "--against", "baseline")
    expected.check(code=code, text=err)
    assert out == ""
    assert not (tmp_path / ".perfci").exists()
