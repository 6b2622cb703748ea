"""`perfci trend`: what changed along the runs of a history, and who accepted it."""

from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from perfci import store
from perfci.config import Config, GateTable, read
from perfci.errors import ConfigError, ResultError
from perfci.judge.trend import events, follow
from perfci.judge.trend.events import Accepted
from perfci.model import Trend
from perfci.pipeline.paths import inside
from perfci.pipeline.policy import policy_of
from perfci.store import history
from perfci.store.history import Archive, Files


def trends(place: Archive, profile: str | None, *, series: str | None, config_file: Path) -> list[Trend]:
    """
    The trend of each scenario of *profile* ("PROFILE" or "PROFILE:SCENARIO"), or of all that the history has.

    *series* picks lines by a pattern of "ENDPOINT METRIC". ResultError where nothing is picked.
    """
    config = read(config_file) if config_file.exists() else None
    files = place.files()
    known = history.scenarios(files)
    chosen = [name for name in known if profile is None or profile in {name[0], ":".join(name)}]
    if not chosen:
        has = ", ".join(":".join(name) for name in known) or "no run"
        raise ResultError(
            f"the history in {place.name} has no run of {profile or 'any profile'}: it has {has}",
            hint="`perfci history push RUN` adds one",
        )
    found = [_trend(files, name, config, config_file.parent, place.name) for name in chosen]
    return [_picked(trend, series) for trend in found] if series else found


def _trend(files: Files, name: tuple[str, str], config: Config | None, root: Path, place: str) -> Trend:
    policy = policy_of(config.gate if config else GateTable(), name[0])
    rows = history.rows(files, *name)
    changes = history.changes(files, *name)
    if changes is None or (changes.rows, changes.last) != (len(rows), rows[-1].run):
        changes = follow.changes(rows, policy, changes)
    return events.trend(rows, changes, policy, accepted=_accepted(name, config, root), name=name, place=place)


def _accepted(name: tuple[str, str], config: Config | None, root: Path) -> Accepted:
    """What the project's own baseline of the scenario holds."""
    if config is None:
        return Accepted(runs={})
    folder = store.baseline_folder(inside(root.resolve(), config.baselines, what="baselines folder"), *name)
    return Accepted(runs=store.accepted_runs(folder), census=store.committed_census(folder))


def _picked(trend: Trend, series: str) -> Trend:
    lines = [
        line
        for line in trend.lines
        if fnmatchcase(f"{line.name.series.endpoint} {line.name.series.metric}", series)
        or series in {line.name.series.endpoint, line.name.series.metric}
    ]
    if not lines:
        has = sorted({f"{line.name.series.endpoint} {line.name.series.metric}" for line in trend.lines})
        raise ConfigError(
            f"{trend.profile}:{trend.scenario} has no series {series!r}", hint=f"it has: {', '.join(has[:20])}"
        )
    return replace(trend, lines=tuple(lines))
