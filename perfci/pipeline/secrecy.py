"""Decides which process receives which secret of the job, and which variables no process receives."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from perfci.config import Config
from perfci.errors import ConfigError, PerfciError
from perfci.model import Finding, Side
from perfci.pipeline.plan import Plan, SideSource
from perfci.rig import target
from perfci.rig.host.environment import JobEnvironment, withheld
from perfci.rig.load import sources
from perfci.sentences import change as say

MOST_BYTES = 1_000_000
"""Of a file that is searched for names of variables."""

HOW = "name it in the configuration of the base: `secrets = {{ {who} = [{names}] }}`, or `pass_env`"


def environment_of(
    config: Config, environ: Mapping[str, str], *, needed: Sequence[str] | None = None
) -> JobEnvironment:
    """*environ* under the rules of *config*; ConfigError where a secret is not set that is *needed*, all by default."""
    names = config.secrets.names()
    if missing := [name for name in (names if needed is None else needed) if not environ.get(name)]:
        plural = len(missing) > 1
        raise ConfigError(
            f"the {'secrets' if plural else 'secret'} {', '.join(missing)} {'are' if plural else 'is'} not set",
            hint="set it in the environment of perfci; in a workflow, in `env` of its step: "
            f"{missing[0]}: ${{{{ secrets.{missing[0]} }}}}. Pull requests from forks and of Dependabot get no secrets",
        )
    return JobEnvironment(environ, passed=config.pass_env, blocked=config.block_env, secrets=names)


def naming_withheld(error: PerfciError, environ: Mapping[str, str]) -> PerfciError:
    """*error*, whose hint also names what its evidence misses: variables that perfci did not pass on."""
    words = set(re.findall(r"\w+", str(error)))
    if names := sorted(name for name in _dropped(environ) & words if f"does not pass {name} on" not in error.hint):
        why = (
            f"perfci passed no {', '.join(names)} on, as it does with what looks like a secret:"
            f" {_how('load', names)}; `load` is the Locust file, `target` the service, `seed` its data"
        )
        error.hint = f"{error.hint}; {why}" if error.hint else why
    return error


def withheld_from(
    plan: Plan, root: Path, side_sources: Mapping[Side, SideSource], config: Config, environ: JobEnvironment
) -> tuple[Finding, ...]:
    """A notice for each variable that the load or the service refers to and is not given."""
    load = {file for name in plan.runtime.files for file in sources.modules(root / name, root=root)}
    service = {file for side in side_sources.values() for file in target.files(side.target, source=side.tree)}
    findings = []
    for who, files in (("load", load), ("target", service)):
        given = getattr(config.secrets, who)
        found = _referred(files, _dropped(environ) - frozenset(given))
        for name, file in sorted(found.items()):
            findings.append(say.VariableWithheld(file=file.name, variable=name, hint=_how(who, [name])))
    return tuple(findings)


def _dropped(environ: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name in withheld(environ) if environ[name])


def _how(who: str, names: Iterable[str]) -> str:
    return HOW.format(who=who, names=", ".join(f'"{name}"' for name in names))


def _referred(files: Iterable[Path], names: frozenset[str]) -> dict[str, Path]:
    """The *names* that stand in the *files* as whole words, each with the first file."""
    found: dict[str, Path] = {}
    for file in sorted(files):
        if names and file.is_file() and file.stat().st_size <= MOST_BYTES:
            for word in set(re.findall(rb"\w+", file.read_bytes())) & {name.encode() for name in names}:
                found.setdefault(word.decode(), file)
    return found
