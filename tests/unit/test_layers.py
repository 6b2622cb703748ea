"""
Who may import whom, and who makes sentences, read from the syntax trees of the sources.

Imports within functions and those for type checkers count like all others: the direction is the same.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LEAVES = frozenset({"model", "errors", "schema", "quantile", "histogram"})
WINGS = frozenset({"rig", "judge", "report", "publish"})

ROOMS: Mapping[str, frozenset[str]] = {
    "": frozenset(),  # perfci/__init__.py holds the version
    "__main__": frozenset({"cli"}),
    "model": frozenset(),
    "errors": frozenset(),
    "schema": frozenset({"errors"}),
    "quantile": frozenset(),
    "histogram": frozenset({"model", "quantile"}),
    "config": LEAVES,
    "store": LEAVES,
    "importers": LEAVES,
    "starter": frozenset(),
    "metrics": frozenset({"model", "quantile", "histogram"}),
    "sentences": frozenset({"model"}),
    **dict.fromkeys(WINGS, LEAVES),
    "judge": LEAVES | {"metrics", "sentences"},
    "report": LEAVES | {"sentences"},
    "pipeline": LEAVES | WINGS | {"config", "importers", "metrics", "sentences", "starter", "store"},
    "cli": frozenset({"pipeline", "config", "errors"}),
}
"""Each room with the rooms that it may import, besides itself."""

DOORS: Mapping[str, str] = {
    "perfci.report": "a finished outcome is rendered in the form that the flags ask for",
    "perfci.report.explain": "the same, for one series",
    "perfci.report.terminal": "the same, for a screen whose width only the CLI knows",
    "perfci.report.trend": "a finished trend is rendered in the form that the flags ask for",
    "perfci.report.trend_text": "the same, for a screen whose width only the CLI knows",
    "perfci.report.overview": "several outcomes as one table, for a screen whose width only the CLI knows",
    "perfci.report.timings": "what the time of a run went into, which is no part of its outcome",
    "perfci.publish.actions": "the log of a runner is a control channel: what is said there is cleaned",
    "perfci.publish.comment": "the option --comment becomes a Policy",
    "perfci.rig.target": "a run begins with the rig's sweep and ends with its release, whatever happens between",
    "perfci.rig.load.generator": "the progress line shows what the rig calls Live",
    "perfci.rig.host.process": "an interruption ends what had been started and nobody held yet",
}
"""What the CLI imports of the wings, with the reason; a new one is an exception to be argued for here."""

LIBRARIES: Mapping[str, tuple[str, ...]] = {
    "pandas": ("perfci.metrics",),
    "scipy": ("perfci.judge",),
    "ddsketch": ("perfci.histogram",),
    "numpy": ("perfci.judge", "perfci.metrics"),
    "github": ("perfci.publish",),
    "requests": (
        *("perfci.rig.target", "perfci.rig.seed", "perfci.rig.census.prometheus", "perfci.rig.monitor.asking"),
        "perfci.rig.discovery",
        "perfci.publish.download",
        "perfci.rig.host.tls",
    ),
    "urllib3": ("perfci.rig.target", "perfci.rig.discovery"),
    "yaml": ("perfci.starter",),
    "tenacity": ("perfci.rig", "perfci.store"),
    "boto3": ("perfci.store",),
    "botocore": ("perfci.store",),
    "psutil": ("perfci.rig",),
    "prometheus_client": ("perfci.rig.census.prometheus", "perfci.rig.monitor.page", "perfci.report.openmetrics"),
    "jinja2": ("perfci.report",),
    "vl_convert": ("perfci.report.charts.drawing",),
    "markupsafe": ("perfci.report.charts.drawing",),
    "rich": ("perfci.report", "perfci.cli.progress"),
    "click": ("perfci.cli",),
    "locust": ("perfci.rig.load.inside", "load_tests"),
    "gevent": ("perfci.rig.load.inside",),
    "pydantic": (
        *("perfci.schema", "perfci.config", "perfci.store", "perfci.rig"),
        "perfci.report.result_json",
    ),
}
"""Each library with the modules that own it."""

STRANGERS: Mapping[str, frozenset[str]] = {
    "demo": frozenset({"perfci", "load_tests", "tests", "locust"}),
    "load_tests": frozenset({"perfci", "demo", "tests"}),
    "perfci": frozenset({"demo", "load_tests", "tests", "bench"}),
}
"""Each package with those that it knows nothing of."""


@dataclass(frozen=True, slots=True)
class Import:
    """One import, as far as it names a module."""

    importer: str
    imported: str
    line: int

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


@cache
def imports(root: Path, package: str) -> list[Import]:
    """Every import of every module in the folder *package* of *root*."""
    modules = {_name(root, path): path for path in sorted((root / package).rglob("*.py"))}
    return [found for name, path in modules.items() for found in _imports_of(name, path, frozenset(modules))]


def _name(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imports_of(name: str, path: Path, modules: frozenset[str]) -> Iterator[Import]:
    home = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (Import(name, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = home[: len(home) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                whole = f"{source}.{alias.name}"
                yield Import(name, whole if whole in modules else source, node.lineno)


def _room(module: str) -> str:
    return [*module.split("."), ""][1]


def _within(module: str, owners: tuple[str, ...]) -> bool:
    return any(module == owner or module.startswith(f"{owner}.") for owner in owners)


def breaches(root: Path) -> list[str]:
    """Every import below *root* that goes against the direction, or out of a library's room."""
    found = [each for package in STRANGERS for each in imports(root, package)]
    return sorted(str(each) for each in found if not _allowed(each))


def _allowed(found: Import) -> bool:
    importer, imported = found.importer, found.imported
    top = imported.split(".")[0]
    if top in STRANGERS[importer.split(".")[0]]:
        return False
    if top in LIBRARIES and importer.split(".")[0] == "perfci":
        return _within(importer, LIBRARIES[top])
    if top != "perfci":
        return True
    if _within(importer, ("perfci.rig.load.inside",)):
        return False
    here, there = _room(importer), _room(imported)
    if there in {"", here} or there in ROOMS.get(here, frozenset()):
        return True
    return here == "cli" and imported in DOORS


WORDS = re.compile(r"\w+,? \w+,? \w+")
"""Three words in a row: more than a name."""


def sentences(folder: Path) -> list[str]:
    """Every text of three words or more in the modules below *folder*, except docstrings and what is raised."""
    return [
        f"{path.relative_to(folder)}:{line}: {text}"
        for path in sorted(folder.rglob("*.py"))
        for line, text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        if WORDS.search(text)
    ]


def _texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """The constant texts below a node; in place of what an f-string puts in, one word."""
    if isinstance(node, ast.Raise) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return
    if isinstance(node, ast.JoinedStr):
        yield node.lineno, "".join(str(getattr(part, "value", "")) if _is_text(part) else "x" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.lineno, node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def _is_text(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant)


def test_the_judge_makes_no_sentences() -> None:
    """It returns codes and numbers; the words for them are in `perfci.sentences`."""
    assert sentences(ROOT / "perfci/judge") == []
    assert len(sentences(ROOT / "perfci/sentences")) > 100


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("reason = 'no run was stored'", "x.py:1: no run was stored"),
        ("def f(n: int) -> str:\n    return f'{n} of {n}'", "x.py:2: x of x"),
        ("x = Finding(message=f'is {1}, too')", "x.py:1: is x, too"),
    ],
)
def test_a_sentence_in_a_room_is_found(tmp_path: Path, source: str, found: str) -> None:
    """As a constant, a default, an argument or an f-string; docstrings and errors are none."""
    (tmp_path / "x.py").write_text(source)
    (tmp_path / "y.py").write_text('"""What it is for."""\nname = "two words"\nraise ValueError("that is wrong")')
    assert sentences(tmp_path) == [found]


def test_imports_go_one_way() -> None:
    """No wing knows another, only the pipeline knows the wings, only the CLI the pipeline, and libraries stay home."""
    assert breaches(ROOT) == []


@pytest.mark.parametrize(
    ("room", "stranger"),
    [
        *(("host", other) for other in ("target", "seed", "census", "monitor", "load")),
        *(("target", other) for other in ("seed", "census", "monitor", "load")),
        *(("seed", other) for other in ("target", "census", "monitor", "load")),
        *(("load", other) for other in ("target", "seed", "census", "monitor")),
        ("census", "monitor"),
        ("monitor", "census"),
    ],
)
def test_rooms_of_the_rig_share_the_host_alone(room: str, stranger: str) -> None:
    """What two of them need is in `rig/host`; census and monitor also know a running target and a recording."""
    inside = [each for each in imports(ROOT, "perfci") if _within(each.importer, (f"perfci.rig.{room}",))]
    assert inside
    assert [str(each) for each in inside if _within(each.imported, (f"perfci.rig.{stranger}",))] == []


def test_every_room_is_known() -> None:
    """A new room is first given its place among the others."""
    assert {_room(each.importer) for each in imports(ROOT, "perfci")} <= set(ROOMS)


def test_no_door_is_left_open() -> None:
    """What the CLI may import of the wings it does import: an exception that is no longer needed goes."""
    used = {each.imported for each in imports(ROOT, "perfci") if _room(each.importer) == "cli"}
    assert set(DOORS) <= used


def test_what_runs_beside_locust_needs_nothing_else() -> None:
    """The files inside the load generator import the standard library, Locust, gevent and each other."""
    inside = {path.stem for path in (ROOT / "perfci/rig/load/inside").glob("*.py")}
    found = [each for each in imports(ROOT, "perfci") if _within(each.importer, ("perfci.rig.load.inside",))]
    known = sys.stdlib_module_names | {"locust", "gevent"} | inside
    assert len(inside) >= 3
    assert [str(each) for each in found if each.imported.split(".")[0] not in known] == []


def test_profiles_need_locust_and_the_extra_load_testing_alone() -> None:
    """A profile runs in anybody's Locust, beside the libraries of its data, its tokens and its WebSockets."""
    siblings = {path.stem for path in (ROOT / "load_tests").glob("*.py")}
    known = sys.stdlib_module_names | {"locust", "faker", "jwt", "websocket", "pytest"} | siblings
    assert [str(each) for each in imports(ROOT, "load_tests") if each.imported.split(".")[0] not in known] == []


@pytest.mark.parametrize(
    ("file", "line", "breach"),
    [
        ("perfci/rig/x.py", "from perfci.judge import stats", "perfci.rig.x:1 imports perfci.judge"),
        ("perfci/rig/x.py", "from perfci import report", "perfci.rig.x:1 imports perfci.report"),
        ("perfci/judge/x.py", "import perfci.store", "perfci.judge.x:1 imports perfci.store"),
        ("perfci/judge/stats/x.py", "from ...rig import target", "perfci.judge.stats.x:1 imports perfci.rig"),
        (
            "perfci/report/x.py",
            "def f():\n    from perfci.publish import y",
            "perfci.report.x:2 imports perfci.publish",
        ),
        ("perfci/store.py", "from perfci.config import read", "perfci.store:1 imports perfci.config"),
        (
            "perfci/config.py",
            "from perfci.metrics.registry import METRICS",
            "perfci.config:1 imports perfci.metrics.registry",
        ),
        ("perfci/model.py", "import perfci.errors", "perfci.model:1 imports perfci.errors"),
        ("perfci/publish/x.py", "import perfci.pipeline.run", "perfci.publish.x:1 imports perfci.pipeline.run"),
        ("perfci/pipeline/x.py", "from perfci.cli import run", "perfci.pipeline.x:1 imports perfci.cli"),
        ("perfci/cli/x.py", "from perfci.judge import judge", "perfci.cli.x:1 imports perfci.judge"),
        ("perfci/cli/x.py", "from perfci.rig.host.git import Git", "perfci.cli.x:1 imports perfci.rig.host.git"),
        ("perfci/pipeline/x.py", "import pandas as pd", "perfci.pipeline.x:1 imports pandas"),
        ("perfci/rig/x.py", "from scipy import stats", "perfci.rig.x:1 imports scipy"),
        ("perfci/rig/load/x.py", "import requests", "perfci.rig.load.x:1 imports requests"),
        ("perfci/rig/x.py", "import locust.env", "perfci.rig.x:1 imports locust.env"),
        ("perfci/cli/x.py", "import rich.console", "perfci.cli.x:1 imports rich.console"),
        (
            "perfci/rig/load/inside/x.py",
            "from perfci.model import Run",
            "perfci.rig.load.inside.x:1 imports perfci.model",
        ),
        ("demo/x.py", "from perfci.errors import ExitCode", "demo.x:1 imports perfci.errors"),
        ("load_tests/x.py", "import perfci", "load_tests.x:1 imports perfci"),
        ("perfci/x.py", "from demo.app import app", "perfci.x:1 imports demo.app"),
        ("perfci/brand_new/x.py", "import perfci.rig", "perfci.brand_new.x:1 imports perfci.rig"),
    ],
)
def test_a_breach_is_found(tmp_path: Path, file: str, line: str, breach: str) -> None:
    """Each kind of wrong import is found in a tree that holds nothing else."""
    for path in (tmp_path / "perfci/report/__init__.py", tmp_path / file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / file).write_text(line)
    assert breaches(tmp_path) == [breach]


def test_what_is_right_is_no_breach(tmp_path: Path) -> None:
    """The finder does not simply find everything."""
    for file, line in {
        "perfci/rig/x.py": "from perfci.errors import LoadError\nimport psutil\nfrom . import y",
        "perfci/rig/y.py": "import json",
        "perfci/metrics/x.py": "import pandas",
        "perfci/pipeline/x.py": "from perfci import store\nfrom perfci.judge import judge",
        "perfci/cli/x.py": "import click\nfrom perfci.pipeline import x",
        "load_tests/x.py": "from locust import HttpUser",
    }.items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(line)
    assert breaches(tmp_path) == []
