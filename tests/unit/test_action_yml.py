"""action.yml holds no logic: what it passes on arrives, and nothing that an author writes becomes a command."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from perfci.cli import COMMANDS, cli
from perfci.config import read
from perfci.report import FORMATS
from tests.fakes.shell import Perfci

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
COMMAND = re.compile(r'exec "\$PERFCI_INTERPRETER" -I -m perfci (\w+)')
NOT_LOADED = {"BASH_ENV": "", "LD_AUDIT": "", "LD_PRELOAD": ""}
"""What a step is given so that nothing that an earlier step has named is loaded into it."""
FREE_TEXT = {"github-token", "github-login"}
"""Inputs that are checked elsewhere: the token where it is used, the login under the name of its variable."""


def _command(name: str) -> click.Command:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return command


def _envvars(name: str) -> set[str]:
    """Every variable that an option or an argument of the command reads."""
    found = set()
    for param in _command(name).params:
        given = param.envvar or ()
        found |= {given} if isinstance(given, str) else set(given)
    return found


def _read_by_name(package: Path) -> set[str]:
    """Every PERFCI_* that the sources in *package* take from an environment by `.get("...")`."""
    calls = [
        node
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
    ]
    texts = [call.args[0].value for call in calls if call.args and isinstance(call.args[0], ast.Constant)]
    return {text for text in texts if isinstance(text, str) and text.startswith("PERFCI_")}


def _runs() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Each step that runs something, with its name, its script and its environment."""
    for step in STEPS:
        if "run" in step:
            yield step["name"], step["run"], step.get("env", {})


def test_it_is_a_composite_action_that_explains_itself() -> None:
    """GitHub needs a name and a description of everything."""
    assert ACTION["runs"]["using"] == "composite"
    for table in (ACTION["inputs"], ACTION["outputs"]):
        for name, entry in table.items():
            assert entry["description"].strip().endswith("."), name
    assert all("value" in entry for entry in ACTION["outputs"].values())


def test_must_06_inputs_are_required_or_have_a_default() -> None:
    """Nothing depends on what GitHub makes of an input that nobody gave; a default is text, as all inputs are."""
    for name, entry in ACTION["inputs"].items():
        assert entry.get("required") is True or isinstance(entry.get("default"), str), name
        assert set(entry) <= {"description", "required", "default", "deprecationMessage"}, name


def test_must_01_every_run_step_names_its_shell() -> None:
    """A composite action without it does not start."""
    assert len(list(_runs())) >= 5
    assert [step["name"] for step in STEPS if "run" in step and step.get("shell") != "bash"] == []


def test_must_08_no_expression_stands_in_a_script() -> None:
    """What an author chose (a branch name, an input) is a variable, never part of a command."""
    assert [name for name, script, _ in _runs() if "${{" in script] == []


@pytest.mark.parametrize("file", [ROOT / "action.yml", *WORKFLOWS], ids=lambda file: file.name)
def test_must_03_what_is_used_is_pinned_to_a_commit(file: Path) -> None:
    """A tag can be moved; the version stands beside the commit for people."""
    lines = [line.strip().removeprefix("- ") for line in file.read_text().splitlines()]
    foreign = [line for line in lines if line.startswith("uses:") and not line.startswith("uses: ./")]
    pinned = re.compile(r"uses: [\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*")
    assert foreign
    assert [line for line in foreign if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_begin_without_permissions(workflow: Path) -> None:
    """Each job says what it needs, with nothing granted to the rest."""
    content = yaml.safe_load(workflow.read_text())
    assert content["permissions"] == {}
    for name, job in content["jobs"].items():
        assert "permissions" in job, name
        assert "write-all" not in str(job["permissions"])
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda file: file.name)
def test_workflows_pass_inputs_that_exist(workflow: Path) -> None:
    """GitHub only warns of an unknown input, and the job then measures something else."""
    content = yaml.safe_load(workflow.read_text())
    steps = [step for job in content["jobs"].values() for step in job["steps"] if step.get("uses") == "./"]
    assert [key for step in steps for key in step.get("with", {}) if key not in ACTION["inputs"]] == []


def test_every_variable_is_read_by_the_command_of_its_step() -> None:
    """A PERFCI_* that nobody reads is an input without effect."""
    by_name = _read_by_name(ROOT / "perfci/publish") | _read_by_name(ROOT / "perfci/cli")
    by_name |= _read_by_name(ROOT / "perfci/rig/load")
    for name, script, environ in _runs():
        given = {variable for variable in environ if variable.startswith("PERFCI_")}
        if found := COMMAND.fullmatch(script):
            assert given - {"PERFCI_INTERPRETER"} <= _envvars(found[1]) | by_name, name
        else:
            assert script == 'exec "$GITHUB_ACTION_PATH/action/setup"'
            setup = (ROOT / "action/setup").read_text()
            assert [variable for variable in given if f"${{{variable}" not in setup] == []


def test_steps_start_with_nothing_that_an_earlier_one_has_named() -> None:
    """bash and the interpreter load what the system has, and the interpreter's own library where it lies elsewhere."""
    for name, script, environ in _runs():
        assert environ.items() >= NOT_LOADED.items(), name
        if COMMAND.fullmatch(script):
            assert environ["PERFCI_INTERPRETER"] == "${{ steps.setup.outputs.python }}", name
            assert environ["LD_LIBRARY_PATH"] == "${{ steps.setup.outputs.libraries }}", name
        else:
            assert environ["LD_LIBRARY_PATH"] == "", name


def test_every_input_is_passed_on() -> None:
    """As a variable of the same name, or, where another Action needs it, as its parameter."""
    whole = yaml.safe_dump(STEPS)
    assert [name for name in ACTION["inputs"] if f"inputs.{name}" not in whole] == []
    run = next(step for step in STEPS if step.get("id") == "run")["env"]
    for name in ACTION["inputs"]:
        variable = "PERFCI_" + name.upper().replace("-", "_")
        if variable in _envvars("run"):
            assert run[variable] == f"${{{{ inputs.{name} }}}}"


def test_names_of_inputs_outputs_and_steps_agree() -> None:
    """Whatever an expression refers to is there: GitHub would read anything else as empty."""
    text = (ROOT / "action.yml").read_text()
    ids = {step["id"] for step in STEPS if "id" in step}
    assert set(re.findall(r"inputs\.([\w-]+)", text)) <= set(ACTION["inputs"])
    assert set(re.findall(r"steps\.([\w-]+)\.", text)) <= ids
    setup = (ROOT / "action/setup").read_text()
    for output in re.findall(r"steps\.setup\.outputs\.([\w-]+)", text):
        assert f"'{output}=%s" in setup
    published = (ROOT / "perfci/pipeline/publish.py").read_text()
    for output in re.findall(r"steps\.publish\.outputs\.([\w-]+)", text):
        assert f'"{output}":' in published


def test_the_defaults_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """An input that nobody gave is an option that nobody gave; only what every job has is set."""
    run = next(step for step in STEPS if step.get("id") == "run")["env"]
    for variable, expression in run.items():
        if found := re.fullmatch(r"\$\{\{ inputs\.([\w-]+) \}\}", expression):
            entry = ACTION["inputs"][found[1]]
            monkeypatch.setenv(variable, entry.get("default", "tickets:smoke"))
    given = _command("run").make_context("run", []).params
    plain = {name: value for name, value in given.items() if value not in {None, "", (), False}}
    assert {name: str(value) for name, value in plain.items()} == {
        "profile": "tickets:smoke",
        "config": "perfci.toml",
        "comment": "auto",
        "retention_days": "30",
        "login": "github-actions[bot]",
    }


BAD_INPUTS = {
    ("users", "0"): "a whole number from 1 to 100000",
    ("users", "ten"): "a whole number from 1 to 100000",
    ("spawn-rate", "0"): "a number above 0 and at most 100000",
    ("duration", "1h30m"): "a duration such as 90s, 2m or 1h",
    ("blocks", "1"): "a number from 2 to 100, or the fewest and the most, such as 3-12",
    ("rounds", "101"): "a whole number from 1 to 100",
    ("fail-on", "always"): "one of never, regression, no-baseline or inconclusive",
    ("against", "main"): "one of auto, baseline, ref or limits",
    ("census", "on"): "one of auto, only or off",
    ("comment", "yes"): "one of auto, always, on-regression or off",
    ("retention-days", "91"): "a whole number from 1 to 90",
    ("key", "///"): "one line of at most 200 characters with a letter or digit",
    ("key", "a\nb"): "one line of at most 200 characters with a letter or digit",
    ("artifact-name", "a/b"): 'at most 200 characters, none of them one of " < > | * ? : \\ /',
    ("github-login", "no body"): "a login such as octocat or my-app[bot]",
}


@pytest.mark.parametrize(
    ("given", "form"), BAD_INPUTS.items(), ids=lambda case: " ".join(case) if type(case) is tuple else ""
)
def test_must_07_a_bad_input_is_told_before_anything_starts(
    perfci: Perfci, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: tuple[str, str], form: str
) -> None:
    """One message names input, value and form; later steps find a result, say it again, and the gate ends with 2."""
    name, value = given
    variable = next(v for v, text in STEPS[1]["env"].items() if text == f"${{{{ inputs.{name} }}}}")
    runner = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_OUTPUT": str(tmp_path / "out")}
    own = {"PERFCI_PROFILE": "tickets", "PERFCI_OUTPUT": str(tmp_path / "run"), "PERFCI_DEFER_EXIT": "true"}
    for key, text in {**runner, **own, variable: value}.items():
        monkeypatch.setenv(key, text)
    message = f"the input {name} is {value!r}, but it must be {form} ({variable})"
    assert perfci("run") == (2, "", f"perfci: {message}\n")
    assert (tmp_path / "out").read_text().startswith("artifact-name<<")
    code, out, _ = perfci("publish")
    assert code == 0
    assert f"::error title=perfci::{message}\n" in out
    outputs = (tmp_path / "out").read_text()
    assert f"\n{tmp_path / 'run' / 'result.json'}\n" in outputs
    assert "\ninvalid\n" in outputs
    assert perfci("gate")[0] == 2


def test_a_missing_profile_is_told_like_a_bad_one(
    perfci: Perfci, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """GitHub does not hold anybody to `required: true`."""
    monkeypatch.setenv("PERFCI_OUTPUT", str(tmp_path / "run"))
    monkeypatch.setenv("PERFCI_DEFER_EXIT", "true")
    code, _, err = perfci("run")
    assert (code, err) == (
        2,
        "perfci: the input profile is missing: PROFILE[:SCENARIO] of the configuration (PERFCI_PROFILE)\n",
    )
    assert perfci("gate")[0] == 2


def test_must_06_every_input_is_checked_or_is_free_text() -> None:
    """By the type of its option, by what it is looked up in, or by the set-up; the tests of must 7 give bad values."""
    setup = (ROOT / "action/setup").read_text()
    typed = {
        param.envvar for param in _command("run").params if not isinstance(param.type, click.types.StringParamType)
    }
    looked_up = {"profile", "environment", "base"}
    for name in set(ACTION["inputs"]) - FREE_TEXT - looked_up:
        assert "PERFCI_" + name.upper().replace("-", "_") in typed or f"input {name} is" in setup, name


def test_must_18_the_token_reaches_the_publishing_step_alone() -> None:
    """The service under test, its locustfile and its build run in a step that has none."""
    holders = [step["name"] for step in STEPS if "token" in yaml.safe_dump(step).lower()]
    assert holders == ["Publish"]


def test_both_steps_make_the_key_of_the_same_variables() -> None:
    """The one that names the artifact and the one that comments."""
    run, publish = STEPS[1]["env"], STEPS[3]["env"]
    shared = _read_by_name(ROOT / "perfci/publish")
    assert {"PERFCI_KEY", "PERFCI_MATRIX", "PERFCI_JOB_WORKFLOW"} == shared
    assert {name: run[name] for name in shared} == {name: publish[name] for name in shared}


def test_must_09_steps_are_in_an_order_that_tells_everything() -> None:
    """The evidence is kept and published before the gate fails; what was started is stopped in any case."""
    names = [step["name"] for step in STEPS]
    assert names == ["Set up perfci", "Measure and judge", "Keep the evidence", "Publish", "Clean up", "Gate"]
    clean, gate = STEPS[-2], STEPS[-1]
    assert clean["if"].startswith("${{ always() ")
    assert COMMAND.fullmatch(clean["run"]) is not None
    assert gate["if"].startswith("${{ !cancelled() ")
    assert gate["run"].endswith("perfci gate")
    assert "continue-on-error" not in gate
    run = STEPS[1]
    assert run["env"]["PERFCI_DEFER_EXIT"] == "true"


def test_commands_of_the_steps_exist() -> None:
    """And with them the interpreter that has perfci, isolated from the workspace."""
    found = [COMMAND.fullmatch(script) for _, script, _ in list(_runs())[1:]]
    assert all(match is not None and match[1] in COMMANDS for match in found)


def test_the_finders_find() -> None:
    """The two functions that everything above rests on see what there is, and not what there is not."""
    assert {"PERFCI_USERS", "PERFCI_PROFILE", "PERFCI_OUTPUT"} <= _envvars("run")
    assert "PERFCI_TOKEN" not in _envvars("run")
    assert {"PERFCI_KEY", "PERFCI_MATRIX", "PERFCI_JOB_WORKFLOW"} <= _read_by_name(ROOT / "perfci/publish")
    assert "PERFCI_USERS" not in _read_by_name(ROOT / "perfci")


def test_must_26_the_artifact_is_an_explicit_list() -> None:
    """Files of this run alone, by their names, for thirty days unless the input says otherwise."""
    (keep,) = [step["with"] for step in STEPS if step["name"] == "Keep the evidence"]
    lines = keep["path"].split("\n")[:-1]
    names = [re.fullmatch(r"\$\{\{ steps\.setup\.outputs\.run \}\}/([\w.-]+)", line) for line in lines]
    reports = {fmt.file for fmt in FORMATS.values() if fmt.file}
    assert {*reports, "run.json", "logs"} <= {name[1] for name in names if name}
    assert [line for line, name in zip(lines, names, strict=True) if name is None] == []
    assert keep["retention-days"] == "${{ inputs.retention-days }}"
    assert ACTION["inputs"]["retention-days"]["default"] == "30"


def test_must_25_a_dispatch_offers_what_people_change() -> None:
    """Each with a default that is the scenario's, so that any one alone works; and each reaches the Action."""
    content = yaml.safe_load((ROOT / ".github/workflows/perf.yml").read_text())
    offered = content[True]["workflow_dispatch"]["inputs"]  # YAML reads `on` as a truth value
    names = ["environment", "profile", "scenario", "users", "spawn_rate", "duration", "strategy"]
    assert list(offered) == names
    assert [name for name, entry in offered.items() if entry.get("required") or "default" not in entry] == []
    (step,) = [step for step in content["jobs"]["gate"]["steps"] if step.get("uses") == "./"]
    passed = " ".join(step["with"].values())
    assert [name for name in offered if f"inputs.{name}" not in passed] == []
    known = set(read(ROOT / "perfci.toml").environments)
    assert offered["environment"]["options"] == ["compose", "staging"]
    assert set(offered["environment"]["options"]) <= known
