"""The kinds of evidence: each runs something and says whether it shows the promise."""

import csv
import json
import re
from collections.abc import Callable
from typing import Any

from bench.systems.machine import Machine, Ran
from bench.systems.rows import Plan
from bench.systems.shown import Shown, State
from perfci.config import Scenario

LONGEST = 110
Kind = Callable[[Machine, Plan, str], Shown]


def _verdict(found: object) -> State:
    return State.SHOWN if found else State.NOT_SHOWN


def _of(machine: Machine, plan: Plan, scenario: str) -> tuple[str, Ran | None]:
    name = scenario if ":" in scenario else f"{plan.profile}:{scenario}"
    return machine.measuring(name), machine.measure(name)


def endpoint(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO METHOD NAME, METHOD NAME ...`: requests to each of them in that scenario, none of which failed."""
    scenario, _, names = argument.partition(" ")
    command, run = _of(machine, plan, scenario)
    if run is None:
        return Shown(State.NOT_RUN, command, "")
    rows = {f"{row['Type']} {row['Name']}": row for row in _table(run)}
    wanted = [name.strip() for name in names.split(",")]
    if missing := [name for name in wanted if name not in rows]:
        return Shown(State.NOT_SHOWN, command, f"no {', '.join(missing)} among the requests")
    asked, failed = ([int(rows[name][column]) for name in wanted] for column in ("Request Count", "Failure Count"))
    text = f"{' + '.join(map(str, asked))} requests, {sum(failed)} failed"
    return Shown(_verdict(all(asked) and not any(failed)), command, text)


def _table(run: Ran) -> list[dict[str, str]]:
    file = run.folder / "report.csv"
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def scenario(machine: Machine, plan: Plan, argument: str) -> Shown:
    """
    `SCENARIO`: configured at its documented size; its smoke runs and gets a verdict that is not *invalid*.

    Where the documented number of users comes in stages, that is run instead of the smoke.
    """
    profile, _, name = argument.rpartition(":")
    profile = profile or plan.profile
    known = machine.scenarios(profile)
    if name not in known or f"{name}-smoke" not in known:
        return Shown(State.NOT_SHOWN, f"perfci run {profile}:{name}", "no such scenario")
    size, staged = _size(known[name]), bool(known[name].stages)
    command, run = _of(machine, plan, f"{profile}:{name}" if staged else f"{profile}:{name}-smoke")
    if run is None:
        return Shown(State.NOT_RUN, command, size)
    verdict = _result(run).get("verdict", "no result")
    kept = verdict in {"pass", "slo breach", "inconclusive"}
    return Shown(_verdict(kept), command, f"{verdict}; {size}" if staged else f"{verdict}; documented size: {size}")


def _size(table: Scenario) -> str:
    if table.stages:
        return f"up to {max(stage.users for stage in table.stages)} users in {len(table.stages)} stages"
    return f"{table.users} users for {table.duration:g} s"


def _result(run: Ran) -> dict[str, Any]:
    file = run.folder / "result.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def limit(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO METRIC NUMBER [GROUP [PHASE]]`: an SLO of the scenario's smoke, or else of the scenario itself."""
    name, metric, number, *about = argument.split()
    wanted, what = float(number), " ".join((metric, number, *about))
    place = " in ".join((f"({about[0]})", *about[1:])) if about else None
    limited = [
        each
        for each in (f"{name}-smoke", name)
        if any(
            (slo.metric, slo.limit) == (metric, wanted) and place in {None, slo.where}
            for slo in machine.slos(plan.profile, each)
        )
    ]
    if not limited:
        return Shown(State.OPEN, "perfci.toml", f"no SLO {what} yet")
    command, run = _of(machine, plan, limited[0])
    if run is None:
        return Shown(State.NOT_RUN, command, f"SLO {what}")
    judged = [
        slo
        for slo in _result(run).get("slos", [])
        if (slo["metric"], slo["limit"]) == (metric, wanted) and place in {None, _where(slo)}
    ]
    if not judged:
        return Shown(State.NOT_SHOWN, command, f"SLO {what} is not among the results")
    results = "; ".join(f"{_where(slo)}: {_number(slo['worst'])}, {_became(slo)}" for slo in judged[:3])
    return Shown(_state_of({_became(slo) for slo in judged}, full=limited[0] == name), command, f"{what}: {results}")


def _where(slo: dict[str, Any]) -> str:
    """What the limit is on."""
    window = f"any {slo['throughout_s']:g} s" if slo.get("throughout_s") else ""
    return " in ".join(filter(None, (slo["endpoint"], slo.get("phase"), window)))


HELD, BROKEN, OPEN = "held", "broken", "not settled"


def _became(slo: dict[str, Any]) -> str:
    """What became of a limit, in a word."""
    if not slo["rounds"]:
        return OPEN
    return HELD if slo["held"] else BROKEN


def _state_of(results: set[str], *, full: bool) -> State:
    """At full size a limit that the machine does not keep is a true answer; at smoke size it shows nothing."""
    if results == {HELD}:
        return State.SHOWN
    return State.BREACHED if full and OPEN not in results else State.NOT_SHOWN


def _number(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else "no value"


def output(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`SCENARIO FILE # PATTERN`: a line of a file that a run of the scenario left behind, or one of its folders."""
    place, _, pattern = (part.strip() for part in argument.partition("#"))
    scenario, _, name = place.partition(" ")
    command, run = _of(machine, plan, scenario)
    if run is None:
        return Shown(State.NOT_RUN, command, "")
    file = run.folder / name
    if not pattern:
        found = sorted(each.name for each in file.iterdir()) if file.is_dir() else []
        return Shown(_verdict(found or file.is_file()), command, f"{name}: {', '.join(found[:4])}" if found else name)
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    line = _line(text, pattern)
    return Shown(_verdict(line), command, f"{name}: {line}" if line else f"no line with {pattern} in {name}")


def _line(text: str, pattern: str) -> str:
    """What a line has around the first match of *pattern*; empty where there is none."""
    for line in text.splitlines():
        if line.strip() and (match := re.search(pattern, line)):
            start = max(0, match.end() - LONGEST) if match.end() > LONGEST else 0
            return line[start : start + LONGEST].strip()
    return ""


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
    """`CLASS PERCENT, CLASS PERCENT ...`: the shares of the users that Locust gives to the classes."""
    command, ratios = machine.ratios(plan)
    found, kept = [], True
    for each in argument.split(","):
        name, wanted = each.split()
        percent = ratios.get(name, 0.0) * 100
        found.append(f"{name} {percent:.1f} %")
        kept = kept and abs(percent - float(wanted)) < 1.0
    return Shown(_verdict(kept), command, f"{', '.join(found)} of the users")


def share(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`CLASS TASK PERCENT, TASK + TASK PERCENT ...`: the shares that Locust gives to tasks among those of a class."""
    name, _, rest = argument.partition(" ")
    command, ratios = machine.ratios(plan)
    found, kept = [], True
    for each in rest.split(","):
        tasks, _, wanted = each.strip().rpartition(" ")
        percent = sum(ratios.get(f"{name}.{task.strip()}", 0.0) for task in tasks.split("+")) * 100
        found.append(f"{tasks} {percent:.1f} %")
        kept = kept and abs(percent - float(wanted)) < 0.5
    return Shown(_verdict(kept), command, f"{name}: {', '.join(found)} of the actions")


def prints(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`COMMAND # PATTERN`: a line of what a command prints."""
    command, _, pattern = (part.strip() for part in argument.partition("#"))
    printed_command = command.replace("{service}", "URL").replace("{target}", "URL").replace("{new}", "FOLDER")
    printed_command = re.sub(r"\{run ([^}]+)\}", r"RUN of \1", printed_command)
    printed = machine.run(command)
    if printed is None:
        return Shown(State.NOT_RUN, printed_command, "")
    line = _line(printed, pattern)
    return Shown(_verdict(line), printed_command, line or f"no line with {pattern}")


def http(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`METHOD PATH STATUS # PATTERN`: what the demo answers to a signed-in admin."""
    order, _, pattern = (part.strip() for part in argument.partition("#"))
    method, path, status = order.split()
    answer = machine.ask(method, path)
    line = _line(answer.text, pattern) if pattern else ""
    shown = answer.status_code == int(status) and (line or not pattern)
    return Shown(_verdict(shown), f"{method} {path}", f"{answer.status_code} {line or answer.text[:LONGEST]}".strip())


def page(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`PATH # HEADING`: a page with a section of that heading, in which there is something to read."""
    path, _, wanted = (part.strip() for part in argument.partition("#"))
    place = machine.root / path
    if not place.is_file():
        return Shown(State.NOT_SHOWN, path, "no such page")
    for heading, lines in _sections(place.read_text(encoding="utf-8")):
        if wanted.lower() in heading.lower() and lines:
            return Shown(State.SHOWN, path, f"{heading}: {lines} lines")
    return Shown(State.NOT_SHOWN, path, f"no section {wanted}")


def _sections(text: str) -> list[tuple[str, int]]:
    """Each heading with the number of lines that have something in them, before the next of its level or above."""
    found: list[tuple[str, int, int]] = []
    for line in text.splitlines():
        if match := re.match(r"(#+) (.+)", line):
            found.append((match[2], len(match[1]), 0))
        elif line.strip() and found:
            found = [(*each[:2], each[2] + 1) if _open(found, at) else each for at, each in enumerate(found)]
    return [(heading, lines) for heading, _, lines in found]


def _open(found: list[tuple[str, int, int]], at: int) -> bool:
    return all(level > found[at][1] for _, level, _ in found[at + 1 :])


def test(machine: Machine, _plan: Plan, argument: str) -> Shown:
    """`TEST`: a file of tests, or one of them by its id, passes; those with containers where containers are allowed."""
    command = f"pytest {argument}"
    if not machine.allowed.tests or (argument.startswith("tests/e2e/") and not machine.allowed.compose):
        return Shown(State.NOT_RUN, command, "")
    printed = (machine.run(f"python -m pytest -q -p no:cacheprovider {argument}") or "").strip().splitlines()
    last = printed[-1] if printed else "nothing"
    passed = re.search(r"\d+ passed", last) and not re.search("failed|error", last)
    return Shown(_verdict(passed), command, last[:LONGEST])


def compose(machine: Machine, plan: Plan, argument: str) -> Shown:
    """`GAUGE`: a number that is watched where the service runs in containers."""
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
    "http": http,
    "page": page,
    "test": test,
    "compose": compose,
    "later": later,
    "never": never,
}
