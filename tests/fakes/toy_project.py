"""A project whose service is the toy, and what a run of it has asked."""

from collections.abc import Mapping
from pathlib import Path

from perfci import store
from perfci.model import ALL_ENDPOINTS, RoundKind
from tests.fakes.shell import Shell

CONFIG = """
[target]
kind = "command"
command = ["{python}", "-m", "tests.fakes.toy", "--port", "{port}"]
ready = { timeout_s = 10 }

[profiles.toy]
locustfile = "toy.py"
[profiles.toy.scenarios.short]
users = 2
spawn_rate = 10
duration = "1s"
warmup = "300ms"
paired = { blocks = 2, duet = "500ms", duet_warmup = "100ms", load_blocks = 1 }
"""
RUN = ("run", "toy", "--base", ".", "--fail-on", "never")
MEASURED = {0, 3}
"""Exit codes of a run that was measured to its end: on a busy machine its numbers may prove nothing."""


def write(
    shell: Shell,
    files: Mapping[str, str],
    *,
    profile: str = "",
    scenario: str = "",
    top: str = "",
    target: tuple[str, str] = ("", ""),
) -> None:
    """Put *files* into the project, and more keys into its configuration; *target* is (arguments, keys)."""
    for name, content in files.items():
        (shell.project / name).parent.mkdir(parents=True, exist_ok=True)
        (shell.project / name).write_text(content)
    text = CONFIG.replace('locustfile = "toy.py"', profile or 'locustfile = "toy.py"')
    text = text.replace("users = 2\n", f"users = 2\n{scenario}\n")
    text = text.replace('"{port}"]\n', f'"{{port}}"{target[0]}]\n{target[1]}\n')
    (shell.project / "perfci.toml").write_text(top + text)


def endpoints(folder: Path) -> dict[RoundKind, set[str]]:
    """What was asked in rounds of each kind, without a single failure, and by the census."""
    run = store.load(folder)
    assert run.complete
    assert run.incidents == ()
    assert all(round_.errors == {} for round_ in run.rounds)
    found: dict[RoundKind, set[str]] = {}
    for round_ in run.rounds:
        found.setdefault(round_.kind, set()).update(name for name in round_.endpoints if name != ALL_ENDPOINTS)
    return found | {RoundKind.CENSUS: {name for census in run.census.values() for name in census.endpoints}}
