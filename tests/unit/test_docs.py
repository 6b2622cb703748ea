"""The documents say what is true: their tables, commands, configuration and messages are held against the code."""

import itertools
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import TypeAdapter

from perfci import config
from perfci.cli import cli
from perfci.errors import ExitCode
from perfci.judge.budgets import by_metric
from perfci.judge.comparability import ATTRIBUTES
from perfci.judge.limits.quantities import QUANTITIES
from perfci.judge.policy import DEFAULT
from perfci.metrics.registry import METRICS, resolving
from perfci.model import Reference, RoundKind, Verdict
from perfci.pipeline.policy import policy_of
from perfci.rig import monitor, seed, target
from perfci.rig.host.tls import Tls
from perfci.rig.target.prepare import Preparation
from perfci.rig.target.readiness import Ready
from perfci.schema import Table
from perfci.sentences.conditions import CONSEQUENCES, WHY

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
INPUTS = ROOT / "docs/inputs.md"
VERDICTS = ROOT / "docs/verdicts.md"
TROUBLES = ROOT / "docs/troubleshooting.md"
REFERENCE = ROOT / "docs/configuration.md"
DOCUMENTS = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("**/*.md")),
]

MINIMAL: Mapping[str, Any] = {
    "target": {"kind": "command", "command": ["serve", "{port}"]},
    "profiles": {"shop": {"locustfile": "shop.py", "scenarios": {"smoke": {}}}},
}
"""What a block that shows a part of the file is put into."""

SECTIONS: Mapping[str, type[Table]] = {
    "The top of the file": config.Config,
    "`[secrets]`": config.SecretsTable,
    "`[profiles.NAME]`": config.Profile,
    "`[profiles.NAME.scenarios.NAME]`": config.Scenario,
    "`stages`": config.StageTable,
    "`arrivals`": config.ArrivalsTable,
    "`workers`": config.WorkersTable,
    "`paired`": config.PairedSchedule,
    "`baseline`": config.BaselineSchedule,
    "`[[endpoints]]`": config.EndpointTable,
    "`[census]`": config.CensusTable,
    "`[census.prometheus]`": config.PrometheusTable,
    "`[monitor]`": config.MonitorTable,
    "`[monitor.gauges.NAME]`": monitor.GaugeOptions,
    "`[[monitor.alert]]`": config.AlertTable,
    "`[gate]`": config.GateTable,
    "`[gate.budget.REFERENCE.KIND.METRIC]`": config.BudgetTable,
    "`[[gate.override]]`": config.OverrideTable,
    "`[[gate.slo]]`": config.SloTable,
    "`[environments.NAME]`": config.Overlay,
    **{f'`[target]` with `kind = "{kind}"`': room.Options for kind, room in target.TARGETS.items()},
    "`ready`": Ready,
    "`prepare`": Preparation,
    "`tls`": Tls,
    **{f'`[seed]` with `kind = "{kind}"`': room.Options for kind, room in seed.SEEDS.items()},
}
"""Heading in docs/configuration.md -> the table that it describes."""


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _blocks(language: str) -> list[Any]:
    """Every fenced block of *language* in every document."""
    found = []
    for path in DOCUMENTS:
        fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
        for number, block in enumerate(fence.findall(path.read_text()), start=1):
            found.append(pytest.param(block, id=f"{_named(path)}-{number}"))
    return found


def _commands() -> list[Any]:
    """Every line of a shell block that calls perfci."""
    lines = {
        line.removeprefix(".venv/bin/").strip()
        for block in _blocks("sh")
        for line in block.values[0].replace("\\\n", " ").splitlines()
    }
    return sorted(line for line in lines if line.startswith("perfci "))


def _action() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return loaded


def _default(value: Mapping[str, Any]) -> str:
    if value.get("required"):
        return "required"
    return f"`{value['default']}`" if value["default"] else "empty"


def _inputs() -> str:
    rows = [
        f"| `{name}` | {_default(declared)} | {declared['description']} |"
        for name, declared in _action()["inputs"].items()
    ]
    return "\n".join(["| Input | Default | Meaning |", "| :--- | :--- | :--- |", *rows, ""])


def _outputs() -> str:
    rows = [f"| `{name}` | {declared['description']} |" for name, declared in _action()["outputs"].items()]
    return "\n".join(["| Output | Meaning |", "| :--- | :--- |", *rows, ""])


def _budgets() -> str:
    rows = [
        f"| {reference} | {kind} | `{name}` | {budget.role} "
        f"| {100 * budget.change:g} | {100 * budget.margin:g} | {budget.floor:g} |"
        for reference in (Reference.REF, Reference.BASELINE)
        for kind in (RoundKind.DUET, RoundKind.LOAD, RoundKind.CENSUS)
        for name, budget in by_metric(DEFAULT.budgets, reference, kind).items()
    ]
    head = "| Reference | Round | Metric | Role | Change, % | Margin, % | Floor |"
    return "\n".join([head, "| :--- | :--- | :--- | :--- | ---: | ---: | ---: |", *rows, ""])


def _metrics() -> str:
    rows = [
        f"| `{name}` | {metric.unit or 'share'} | {metric.better} | {resolving(name)} | {metric.meaning} |"
        for name, metric in METRICS.items()
    ]
    head = "| Metric | Unit | Better | Successes | Meaning |"
    return "\n".join([head, "| :--- | :--- | :--- | ---: | :--- |", *rows, ""])


def _quantities() -> str:
    rows = [
        f"| `{name}` | {quantity.unit or 'share'} | {quantity.better} | {quantity.meaning} |"
        for name, quantity in QUANTITIES.items()
    ]
    return "\n".join(["| Metric | Unit | Better | Meaning |", "| :--- | :--- | :--- | :--- |", *rows, ""])


def _attributes() -> str:
    rows = [
        f"| {attribute.name} | {CONSEQUENCES[attribute.consequence]} | {WHY[attribute.name]} |"
        for attribute in ATTRIBUTES
    ]
    return "\n".join(["| What | A difference | Why |", "| :--- | :--- | :--- |", *rows, ""])


def _section(path: Path, heading: str) -> str:
    """What stands below *heading*, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", path.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{_named(path)} has no section {heading!r}"
    return found[1]


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of every row whose first cell is code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split(" | ")]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    same = {key for key in above if isinstance(above[key], dict) and isinstance(below.get(key), dict)}
    return {**below, **above, **{key: _merged(below[key], above[key]) for key in same if key not in {"target", "seed"}}}


@pytest.mark.parametrize(
    ("path", "table"),
    [
        pytest.param(INPUTS, _inputs, id="inputs"),
        pytest.param(INPUTS, _outputs, id="outputs"),
        pytest.param(REFERENCE, _budgets, id="budgets"),
        pytest.param(REFERENCE, _metrics, id="metrics"),
        pytest.param(REFERENCE, _quantities, id="quantities"),
        pytest.param(ROOT / "docs/fingerprint.md", _attributes, id="fingerprint"),
    ],
)
def test_tables_are_those_of_the_code(path: Path, table: Callable[[], str]) -> None:
    """Inputs and outputs are described as in action.yml, the rest as the judge knows it."""
    assert table() in path.read_text(), f"{_named(path)} needs exactly this table:\n\n{table()}"


def test_every_exit_code_is_described() -> None:
    """The table of exit codes has those that perfci uses, and the one that it leaves to crashes."""
    codes = [int(row[0].strip("`")) for row in _rows(_section(VERDICTS, "Exit codes"))]
    assert codes == sorted([*ExitCode, 1])


def test_every_verdict_is_described() -> None:
    """The table of verdicts has all of them, in their order of precedence."""
    assert [row[0].strip("`") for row in _rows(_section(VERDICTS, "Verdicts"))] == list(Verdict)


@pytest.mark.parametrize("block", _blocks("toml"))
def test_configuration_can_be_used(block: str) -> None:
    """What a document shows of perfci.toml is accepted, whole or as a part of a file."""
    shown = tomllib.loads(block)
    read = TypeAdapter(config.Config).validate_python(_merged(MINIMAL, shown))
    policy_of(read.gate, alerts=read.monitor.alert)
    monitor.parse(read.monitor.gauges, where="[monitor.gauges]", allow_hosts=read.monitor.allow_hosts)
    for name in (None, *read.environments):
        within = read.within(name)
        target.parse(within.target, where="[target]")
        seed.parse(within.seed, where="[seed]")


@pytest.mark.parametrize("block", [block for block in _blocks("toml") if "[target]" in block.values[0]])
def test_whole_files_are_read_as_they_stand(block: str) -> None:
    """A block with a target and a profile needs nothing added to it."""
    if "[profiles" in block:
        config.from_bytes(block.encode(), where="the document")


@pytest.mark.parametrize("line", _commands())
def test_commands_exist(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call of perfci that a document shows names a command, and options and values that it takes."""
    _, *arguments = shlex.split(line, comments=True)
    command: click.Command = cli
    with click.Context(cli) as context:
        while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
            name = arguments.pop(0)
            found = command.get_command(context, name)
            assert found, f"{line!r}: there is no command {name!r}"
            command = found
        try:
            command.make_context("perfci", arguments)
        except click.exceptions.Exit:  # --help and --version end here
            pass
        except click.ClickException as error:
            pytest.fail(f"{line!r}: {error.format_message()}")


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_described(heading: str) -> None:
    """Each table of perfci.toml has its section, with every key in the order of the code, and its true default."""
    fields = {field.alias or name: field for name, field in SECTIONS[heading].model_fields.items()}
    rows = {row[0].strip("`"): row for row in _rows(_section(REFERENCE, heading))}
    assert list(rows) == list(fields)
    for key, field in fields.items():
        shown = rows[key][2]
        if field.is_required():
            assert shown == "required", key
        elif field.default is not None and not isinstance(field.default, Table):
            value = tomllib.loads(f"value = {shown.strip('`')}")["value"]
            annotation: Any = field.rebuild_annotation()
            assert TypeAdapter(annotation).validate_python(value) == field.default, key


def test_messages_are_perfcis() -> None:
    """Every message that the troubleshooting page explains is one that perfci prints; an ellipsis is a value."""
    files = [ROOT / "action/setup", *sorted((ROOT / "perfci").rglob("*.py"))]
    source = re.sub(r'"\s+f?"', "", "\n".join(path.read_text() for path in files))
    messages = re.findall(r"^### `+ ?(.*?) ?`+$", TROUBLES.read_text(), re.MULTILINE)
    pieces = itertools.chain.from_iterable(message.split("…") for message in messages)
    unknown = [piece for piece in pieces if piece.strip() and piece.strip() not in source]
    assert len(messages) > 20
    assert not unknown


@pytest.mark.parametrize("path", DOCUMENTS, ids=_named)
def test_links_lead_somewhere(path: Path) -> None:
    """Every relative link names a file of the repository, and every anchor a heading of it."""
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        file, _, anchor = link.partition("#")
        if "://" in link:
            continue
        there = (path.parent / file).resolve() if file else path
        assert there.exists(), link
        headings = re.findall(r"^#+ (.+)$", there.read_text(), re.MULTILINE) if anchor else []
        slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert not anchor or anchor in slugs, link
