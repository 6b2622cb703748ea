"""The kinds of evidence: each runs something and says whether it shows the promise."""

import csv
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bench.systems.machine import Machine, Ran
from bench.systems.rows import Plan


class State(StrEnum):
    """What became of a promise."""

    SHOWN = "shown"
    NOT_SHOWN = "**not shown**"
    NOT_RUN = "not run"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Shown:
    """What was found."""

    state: State
    command: str
    printed: str


Kind = Callable[[Machine, Plan, str], Shown]


def _verdict(found: object) -> State:
    return State.SHOWN if found else State.NOT_SHOWN


def _of(machine: Machine, plan: Plan, scenario: str) -> tuple[str, Ran | None]:
    name = scenario if ":" in scenario else f"{plan.profile}:{scenario}"
    return machine.measuring(name), machine.measure(name)


def endpoint(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO METHOD NAME`: requests in that scenario, none of which failed."""
    scenario, _, wanted = argument.partition(" ")
    command, run = _of(machine, plan, scenario)
    if run is None:
        return Shown(State.NOT_RUN, command, "")
    for row in _table(run):
        if f"{row['Type']} {row['Name']}" == wanted:
            text = f"{row['Request Count']} requests, {row['Failure Count']} failed"
            return Shown(_verdict(row["Failure Count"] == "0" and row["Request Count"] != "0"), command, text)
    return Shown(State.NOT_SHOWN, command, f"no {wanted} among the requests")


def _table(run: Ran) -> list[dict[str, str]]:
    file = run.folder / "report.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def scenario(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO`: configured at its documented size; its smoke runs and gets a verdict that is not *invalid*."""
    profile, _, name = argument.rpartition(":")
    profile = profile or plan.profile
    known = machine.scenarios(profile)
    if name not in known or f"{name}-smoke" not in known:
        return Shown(State.NOT_SHOWN, f"perfci run {profile}:{name}", "no such scenario")
    command, run = _of(machine, plan, f"{profile}:{name}-smoke")
    if run is None:
        return Shown(State.NOT_RUN, command, known[name])
    verdict = _result(run).get("verdict", "no result")
    kept = verdict in {"pass", "slo breach", "inconclusive"}
    return Shown(_verdict(kept), command, f"{verdict}; documented size: {known[name]}")


def _result(run: Ran) -> dict[str, Any]:
    file = run.folder / "result.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def limit(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO METRIC NUMBER [GROUP]`: an SLO with that limit, which the smoke of the scenario holds."""
    name, metric, number, *group = argument.split()
    wanted, what = float(number), " ".join((metric, number, *group))
    limited = machine.limited(plan.profile, metric, wanted, *group)
    if name not in limited:
        return Shown(State.OPEN, "perfci.toml", f"no SLO {what} yet")
    command, run = _of(machine, plan, f"{name}-smoke" if f"{name}-smoke" in limited else name)
    if run is None:
        return Shown(State.NOT_RUN, command, f"SLO {what}")
    place = f"({group[0]})" if group else None
    judged = [
        slo
        for slo in _result(run).get("slos", [])
        if (slo["metric"], slo["limit"]) == (metric, wanted) and place in {None, slo["endpoint"]}
    ]
    if not judged:
        return Shown(State.NOT_SHOWN, command, f"SLO {what} is not among the results")
    results = "; ".join(f"{slo['endpoint']}: {_number(slo['worst'])}, {_held(slo)}" for slo in judged[:3])
    return Shown(_verdict(all(_held(slo) == HELD for slo in judged)), command, f"{what}: {results}")


HELD = "held"


def _held(slo: dict[str, Any]) -> str:
    """What became of a limit, in a word."""
    if slo["worst"] is None or not slo["rounds"]:
        return "not settled"
    return HELD if slo["held"] else "broken"


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "nothing measured"


def output(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO FILE # TEXT`: what a run of the scenario left behind."""
    place, _, text = (part.strip() for part in argument.partition("#"))
    scenario, _, name = place.partition(" ")
    command, run = _of(machine, plan, scenario)
    if run is None:
        return Shown(State.NOT_RUN, command, "")
    file = run.folder / name
    found = file.is_dir() or (file.is_file() and text in file.read_text(encoding="utf-8", errors="replace"))
    return Shown(_verdict(found), command, f"`{name}`" + (f" with `{text}`" if text else ""))


def gauge(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO GAUGE`: a number about the service, watched during a run."""
    scenario, _, name = argument.partition(" ")
    command, run = _of(machine, plan, scenario)
    if run is None:
        return Shown(State.NOT_RUN, command, "")
    for each in _result(run).get("gauges", []):
        if each["name"] == name and each["candidate"]:
            return Shown(State.SHOWN, command, f"{name}: {_number(each['candidate']['mean'])} {each['unit']}")
    return Shown(State.NOT_SHOWN, command, f"no gauge {name}")


def user_class(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`CLASS PERCENT`: the share of the users that Locust gives to the class."""
    name, wanted = argument.split()
    command, ratios = machine.ratios(plan)
    share = ratios.get(name, 0.0) * 100
    return Shown(_verdict(abs(share - float(wanted)) < 1.0), command, f"{name}: {share:.1f} % of the users")


def share(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`CLASS.TASK PERCENT`: the share of the actions of a class that Locust gives to a task."""
    name, wanted = argument.split()
    command, ratios = machine.ratios(plan)
    found = ratios.get(name, 0.0) * 100
    return Shown(_verdict(abs(found - float(wanted)) < 0.5), command, f"{name}: {found:.1f} % of the actions")


def prints(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`COMMAND # PATTERN`: a line of what a command prints."""
    command, _, pattern = (part.strip() for part in argument.partition("#"))
    printed = machine.run(command)
    for line in printed.splitlines():
        if line.strip() and re.search(pattern, line):
            return Shown(State.SHOWN, command, line.strip()[:110])
    return Shown(State.NOT_SHOWN, command, f"no line with {pattern}")


def file(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`PATH # TEXT`: a file of the project says it."""
    path, _, text = (part.strip() for part in argument.partition("#"))
    place = machine.root / path
    found = place.is_file() and text in place.read_text(encoding="utf-8")
    return Shown(_verdict(found), path, text)


def docs(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`PATH # TEXT`: a page of the documentation has it, in whatever case."""
    path, _, text = (part.strip() for part in argument.partition("#"))
    place = machine.root / path
    found = place.is_file() and text.lower() in place.read_text(encoding="utf-8").lower()
    return Shown(_verdict(found), path, text if place.is_file() else "no such page")


def test(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`FILE`: its tests pass."""
    command = f"pytest {argument}"
    if not machine.with_tests:
        return Shown(State.NOT_RUN, command, "")
    printed = machine.run(f"python -m pytest -q -p no:cacheprovider {argument}").strip().splitlines()
    last = printed[-1] if printed else "nothing"
    return Shown(_verdict(re.search(r"\d+ passed", last) and not re.search("failed|error", last)), command, last[:110])


def alert(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`NAME`: an alert of perfci.toml."""
    found = [each for each in machine.settings["monitor"].get("alert", []) if each["name"] == argument]
    limits = (
        ", ".join(f"{name} {value}" for name, value in found[0].items() if name != "name") if found else "no such alert"
    )
    return Shown(_verdict(found), "perfci.toml", limits)


def compose(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`GAUGE`: a number that is watched where the service runs in containers."""
    if not machine.with_compose:
        return Shown(State.NOT_RUN, f"perfci run {plan.profile}:... --environment compose", "")
    return gauge(machine, plan, f"{plan.profile}:{machine.compose_scenario(plan.profile)}@compose {argument}")


def later(_machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`ROOM # WHAT`: what another part of perfci has to have first."""
    room, _, what = (part.strip() for part in argument.partition("#"))
    return Shown(State.OPEN, "", f"needs {room}: {what}")


def never(_machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`# WHY`: what is not shown here."""
    return Shown(State.NOT_SHOWN, "", argument.lstrip("# "))


KINDS: dict[str, Kind] = {
    "endpoint": endpoint,
    "scenario": scenario,
    "limit": limit,
    "output": output,
    "gauge": gauge,
    "class": user_class,
    "share": share,
    "prints": prints,
    "file": file,
    "docs": docs,
    "test": test,
    "alert": alert,
    "compose": compose,
    "later": later,
    "never": never,
}
