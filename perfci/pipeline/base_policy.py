"""
Applies the base's configuration to a change, so that no change can relax its own gate.

Each side brings its own target and data; all else comes from the base, a key that is added later included.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from perfci import store
from perfci.config import Config, Load, Profile
from perfci.errors import ConfigError
from perfci.model import Finding, Side
from perfci.pipeline.paths import inside
from perfci.pipeline.plan import Plan, locustfiles
from perfci.pipeline.trees import Tree
from perfci.rig.load import sources
from perfci.sentences import change as say

SIDE_KEYS = frozenset({"version", "target", "seed", "environments"})
"""The top-level keys that each side brings for itself: how it is started, and with which data, in which version."""


def governed(own: Config, base: Config, profile: str) -> tuple[Config, tuple[Finding, ...]]:
    """
    The configuration of a run, and notices of the keys in which the *base*'s differs from the change's *own*.

    *profile* ("PROFILE" or "PROFILE:SCENARIO") is the change's own where the base has none of that name.
    """
    sides = {key: getattr(own, key) for key in SIDE_KEYS}
    governing = base.model_copy(update={**sides, "profiles": dict(base.profiles)})
    findings: list[Finding] = []
    if changed := [key for key in differences(base, own) if key.split(".")[0] not in SIDE_KEYS]:
        findings.append(say.PolicyChanged(keys=tuple(changed)))
    if "seed" in {key.split(".")[0] for key in differences(base, own)}:
        findings.append(say.SeedChanged())
    name, _, scenario = profile.partition(":")
    if _has(own, profile) and not _has(base, profile):
        governing.profiles[name] = _with_scenario(base.profiles.get(name), own.profiles[name], scenario)
        findings.append(say.ProfileNew(scenario=profile))
    if governing.load is Load.HEAD and name in own.profiles and name in governing.profiles:
        file = own.profiles[name].locustfile
        governing.profiles[name] = governing.profiles[name].model_copy(update={"locustfile": file})
    return governing, tuple(findings)


def _has(config: Config, profile: str) -> bool:
    try:
        config.find(profile)
    except ConfigError:
        return False
    return True


def load_side(config: Config, trees: Mapping[Side, Tree]) -> Side:
    """The side whose Locust file drives both sides."""
    return Side.BASE if config.load is Load.BASE and Side.BASE in trees else Side.CANDIDATE


def edited_load(plan: Plan, config: Config, base_config: Config | None, trees: Mapping[Side, Tree]) -> tuple[str, ...]:
    """The base's Locust files, where the change has others or edits a module that they import; else none."""
    base = trees.get(Side.BASE)
    if base is None or base_config is None or plan.profile not in base_config.profiles:
        return ()
    names = {side: which.profiles[plan.profile].locustfile for side, which in _configs(config, base_config).items()}
    found = {side: _digests(trees[side], named) for side, named in names.items()}
    return tuple(found[Side.BASE]) if len({tuple(digests.values()) for digests in found.values()}) > 1 else ()


def edited_files(
    plan: Plan, config: Config, trees: Mapping[Side, Tree], *, base_locustfiles: Sequence[str]
) -> tuple[Finding, ...]:
    """What the reader must know of files that the change edits: the Locust file, and the stored runs."""
    base, candidate = trees.get(Side.BASE), trees[Side.CANDIDATE]
    if base is None or base.path == candidate.path:
        return ()
    findings: list[Finding] = []
    if base_locustfiles:
        findings.append(say.LoadChanged(locustfile=plan.load.locustfile, driver=load_side(config, trees)))
    folder = store.baseline_folder(Path(config.baselines), plan.profile, plan.scenario)
    if _stored_runs(base.path / folder) != _stored_runs(candidate.path / folder):
        findings.append(say.BaselinesChanged(folder=str(folder)))
    return tuple(findings)


def _configs(config: Config, base_config: Config) -> Mapping[Side, Config]:
    return {Side.BASE: base_config, Side.CANDIDATE: config}


def _digests(tree: Tree, named: Sequence[str]) -> dict[str, str]:
    """Digest of each Locust file with the project's modules that it imports; "" for a file that cannot be read."""
    found = {}
    for name in locustfiles(named, root=tree.path):
        try:
            found[name] = sources.digest(inside(tree.path, name, what="locustfile"), root=tree.path.resolve())
        except OSError:
            found[name] = ""
    return found


def _stored_runs(folder: Path) -> dict[str, bytes]:
    """The files of stored runs by name; `census.json` is meant to be edited, and judged by rules of its own."""
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return {file.name: file.read_bytes() for file in files if file.name != store.CENSUS and file.is_file()}


def _with_scenario(base: Profile | None, own: Profile, scenario: str) -> Profile:
    """The base's profile with the one scenario that only the change has."""
    if base is None or scenario not in own.scenarios:
        return own
    return base.model_copy(update={"scenarios": {**base.scenarios, scenario: own.scenarios[scenario]}})


def differences(base: Config, own: Config) -> list[str]:
    """The dotted names of all keys whose values differ, in the order of the configuration."""
    return list(_differing(base.model_dump(mode="json"), own.model_dump(mode="json")))


def _differing(base: Mapping[str, Any], own: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key in [*base, *(key for key in own if key not in base)]:
        left, right = base.get(key), own.get(key)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            yield from _differing(left, right, f"{prefix}{key}.")
        elif left != right:
            yield f"{prefix}{key}"
