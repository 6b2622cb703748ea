"""
The set-up of the Action and its other steps, attacked through files of the workspace and variables of earlier steps.

The scripts, bash, pip and uv are real; the index is one on loopback with small wheels in place of the large ones.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tests.fakes.package_index import PackageIndex, files_of, serving
from tests.fakes.runner import Runner, Step

ROOT = Path(__file__).parents[2]
SET_UP = "Set up perfci"
OWNED = "owned-by-the-pull-request"
NOWHERE = "https://127.0.0.1:9/simple"
TOUCH = 'open("{owned}", "a").close()\n'


PIP_CONF = f"[global]\nindex-url = {NOWHERE}\nno-index = true\n"
UV_TOML = f'offline = true\n[[index]]\nurl = "{NOWHERE}"\ndefault = true\n'


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Files of the workspace, and variables of an earlier step; `{here}` is the workspace, `{owned}` a trace."""

    files: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)


MODULES = dict.fromkeys(("logging.py", "perfci/__init__.py", "sitecustomize.py", "usercustomize.py"), TOUCH)
LOADED: Mapping[str, Attack] = {
    "files": Attack(files=MODULES),
    "PYTHONPATH": Attack(files=MODULES, variables={"PYTHONPATH": "{here}"}),
    "PYTHONPATH, relative": Attack(files=MODULES, variables={"PYTHONPATH": "."}),
    "PYTHON": Attack(
        files={f"lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages/usercustomize.py": TOUCH},
        variables={"PYTHONUSERBASE": "{here}", "PYTHONHOME": "{here}", "PYTHONPLATLIBDIR": "{here}"},
    ),
    "BASH_ENV": Attack(files={"env.sh": ': >>"{owned}"\n'}, variables={"BASH_ENV": "{here}/env.sh"}),
    "LD_PRELOAD": Attack(variables={"LD_PRELOAD": "{here}/evil.so", "LD_AUDIT": "{here}/evil.so"}),
    "LD_LIBRARY_PATH": Attack(files={"libc.so.6": "evil"}, variables={"LD_LIBRARY_PATH": "{here}"}),
}
"""What any Python, or any shell, could be made to load."""
MISLED: Mapping[str, Attack] = {
    "files": Attack(
        files={
            **dict.fromkeys(("venv.py", "pip/__init__.py", "ensurepip/__init__.py", "compileall.py"), TOUCH),
            "uv.toml": UV_TOML,
            "pyproject.toml": f'[[tool.uv.index]]\nurl = "{NOWHERE}"\ndefault = true\n',
            "pip.conf": PIP_CONF,
            ".python-version": "evil\n",
        }
    ),
    "files of the user": Attack(
        files={"../home/.config/pip/pip.conf": PIP_CONF, "../home/.config/uv/uv.toml": UV_TOML},
        variables={"HOME": "{here}/../home"},
    ),
    "PIP_TARGET": Attack(variables={"PIP_TARGET": "{here}/target", "PIP_PREFIX": "{here}", "PIP_ROOT": "{here}"}),
    "PIP_USER": Attack(variables={"PIP_USER": "1", "PIP_PYTHON": "{here}/python"}),
    "PIP_CONFIG_FILE": Attack(files={"pip.conf": PIP_CONF}, variables={"PIP_CONFIG_FILE": "{here}/pip.conf"}),
    "PIP_INDEX_URL": Attack(variables={"PIP_INDEX_URL": NOWHERE, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "{here}"}),
    "UV_TARGET": Attack(variables={"UV_TARGET": "{here}/target", "UV_PYTHON": "{here}", "VIRTUAL_ENV": "{here}"}),
    "UV_CONFIG_FILE": Attack(files={"uv.toml": UV_TOML}, variables={"UV_CONFIG_FILE": "{here}/uv.toml"}),
    "UV_DEFAULT_INDEX": Attack(variables={"UV_DEFAULT_INDEX": NOWHERE, "UV_INDEX": NOWHERE, "UV_OFFLINE": "1"}),
    "UV_OVERRIDE": Attack(
        files={"evil.txt": "click<1\n"},
        variables={
            "UV_OVERRIDE": "{here}/evil.txt",
            "UV_CONSTRAINT": "{here}/evil.txt",
            "UV_CACHE_DIR": "{here}/cache",
        },
    ),
}
"""What could lead the installation elsewhere."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageIndex]:
    """An index with the real uv, the real click, and packages that only have the names of the large ones."""
    with serving(PackageIndex(tmp_path_factory.mktemp("index") / "wheels")) as served:
        yield served


@pytest.fixture(scope="module")
def action(index: PackageIndex, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Action as GitHub checks it out, with lock files for that index."""
    folder = tmp_path_factory.mktemp("action") / "perfci"
    (folder / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", folder)
    for name in ("action", "perfci"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    uv = index.add("uv", {}, scripts={"uv": Path(sys.executable).with_name("uv").read_bytes()})
    (folder / "requirements/uv.txt").write_text(uv)
    large = [
        index.add(name, {f"{name}/__init__.py": b"", f"{name}/inner/tests/large.py": b""})
        for name in ("numpy", "pandas", "scipy")
    ]
    small = index.add("locust", {"locust/__init__.py": b"", "locust/main.py": b""})
    (folder / "requirements/action.txt").write_text("".join([*large, small, index.add("click", files_of("click"))]))
    return folder


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job with a checkout, and what its steps leave."""

    runner: Runner
    owned: Path
    index: PackageIndex

    def set_up(self, **inputs: str) -> Step:
        """Run the set-up step."""
        given = {"python": sys.executable, "index-url": self.index.url, **inputs}
        return self.runner.step(SET_UP, inputs=given)

    def workspace(self) -> set[str]:
        """Every file of the checkout."""
        return {str(path.relative_to(self.runner.workspace)) for path in self.runner.workspace.rglob("*")}


def _job(tmp_path: Path, action: Path, index: PackageIndex, *attacks: Attack) -> Job:
    here, owned, temp = tmp_path / "workspace", tmp_path / OWNED, tmp_path / "temp"
    for folder in (here, temp):
        folder.mkdir()
    places = {"{here}": str(here), "{owned}": str(owned)}

    def placed(text: str) -> str:
        for place, value in places.items():
            text = text.replace(place, value)
        return text

    for name, content in [item for attack in attacks for item in attack.files.items()]:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(placed(content))
    certificates = {name: str(index.certificate) for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")}
    state = {"XDG_STATE_HOME": str(tmp_path / "state"), "OWNED": str(owned)}
    variables = {name: placed(value) for attack in attacks for name, value in attack.variables.items()}
    runner = Runner(action=action, workspace=here, temp=temp, environ={**certificates, **state, **variables})
    return Job(runner=runner, owned=owned, index=index)


@pytest.fixture
def job(tmp_path: Path, action: Path, index: PackageIndex) -> Job:
    """A job that nobody attacks."""
    return _job(tmp_path, action, index)


def _harm(job: Job, step: Step, before: set[str]) -> list[str]:
    """What of the pull request was run, what the loader was made to look for, and what was written to the checkout."""
    sought = [line for line in step.log.splitlines() if "ld.so" in line]
    return [*([str(job.owned)] if job.owned.exists() else []), *sought, *(job.workspace() - before)]


@pytest.mark.parametrize("attack", [LOADED, MISLED], ids=["loaded", "misled"])
def test_nothing_takes_part_in_the_set_up(
    attack: Mapping[str, Attack], tmp_path: Path, action: Path, index: PackageIndex
) -> None:
    """Neither files of the workspace nor variables of an earlier step change what is installed, or are run."""
    job = _job(tmp_path, action, index, *attack.values())
    before = job.workspace()
    step = job.set_up(python=str(_pyenv(tmp_path / "python3", job.owned)))
    assert step.code == 0, step.log
    assert _harm(job, step, before) == []
    python = Path(step.outputs["python"])
    assert python.is_relative_to(job.runner.temp)
    shown = subprocess.run(
        [python, "-I", "-c", "import click, perfci; print(perfci.__file__, click.__file__)"],
        check=True, capture_output=True, text=True,
    ).stdout.split()  # fmt: skip
    assert all(Path(file).is_relative_to(python.parents[1]) for file in shown)


def _pyenv(path: Path, owned: Path) -> Path:
    """An interpreter that a file of the current folder chooses, as pyenv's is."""
    path.write_text(f'#!/bin/sh\n[ ! -e .python-version ] || : >"{owned}"\nexec "{sys.executable}" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("step", "code"), [("Measure and judge", 2), ("Publish", 3), ("Clean up", 0), ("Gate", 3)], ids=str
)
def test_nothing_takes_part_in_a_step(step: str, code: int, tmp_path: Path, action: Path, index: PackageIndex) -> None:
    """perfci runs as it was installed, whatever lies in the workspace that it measures."""
    job = _job(tmp_path, action, index, *LOADED.values())
    (job.runner.workspace / "perfci.toml").write_text('[target]\nkind = "none"\n')
    before = job.workspace()
    setup = {"python": sys.executable, "run": str(job.runner.temp / "run"), "libraries": ""}
    done = job.runner.step(step, inputs={"profile": "shop"}, setup=setup)
    assert _harm(job, done, before) == []
    assert "Traceback" not in done.log
    assert done.code == code, done.log


@pytest.mark.parametrize("name", LOADED)
def test_each_of_them_would_take_over_a_careless_step(
    name: str, tmp_path: Path, action: Path, index: PackageIndex
) -> None:
    """What is tested above is the Action: without its precautions, the same step runs, or breaks on, what is there."""
    careless = tmp_path / "careless"
    careless.mkdir()
    script = f"exec {sys.executable} -m this"
    (careless / "action.yml").write_text(f"inputs: {{}}\nruns: {{steps: [{{name: it, env: {{}}, run: {script}}}]}}\n")
    job = _job(tmp_path, action, index, LOADED[name])
    (job.runner.workspace / "this.py").write_text("import logging, perfci\n")
    before = job.workspace()
    done = replace(job.runner, action=careless).step("it")
    assert done.code != 0 or _harm(job, done, before)


def test_must_05_the_callers_interpreter_is_untouched(job: Job) -> None:
    """PATH, the environment of later steps and the packages of the interpreter are what they were."""
    before = _packages()
    step = job.set_up()
    assert step.code == 0, step.log
    assert _packages() == before
    assert {name: text for name, text in step.files.items() if text} == {"GITHUB_OUTPUT": step.files["GITHUB_OUTPUT"]}
    assert set(step.outputs) == {"python", "libraries", "run"}


def _packages() -> set[Path]:
    """Every file of the interpreter that the set-up is given, but for what importing leaves."""
    return {path for path in Path(sys.prefix).rglob("*") if "__pycache__" not in path.parts}


def test_what_nobody_imports_is_not_kept(job: Job) -> None:
    """Tests of the large libraries, the installer and its cache are gone; what Locust imports is compiled."""
    assert job.set_up().code == 0
    (home,) = (path for path in job.runner.temp.iterdir() if path.name != "_runner")
    assert [path.name for path in home.iterdir()] == ["venv"]
    assert not list(home.rglob("tests"))
    assert not list(home.rglob("bin/uv"))
    compiled = {path.name.partition(".")[0] for path in home.rglob("*.pyc")}
    assert {"main", "perfci_locust", "perfci_recorder"} <= compiled


def test_the_index_is_the_inputs(job: Job) -> None:
    """pip and uv ask the index of the input, and an index that does not answer ends in one message."""
    job.index.asked.clear()
    assert job.set_up().code == 0
    assert {"/simple/uv/", "/simple/click/"} <= set(job.index.asked)
    job.index.asked.clear()
    step = job.set_up(**{"index-url": job.index.url.replace("simple", "elsewhere")})
    assert step.code == 3
    assert job.index.asked == ["/elsewhere/uv/"]
    assert "::error title=perfci::The packages that perfci needs could not be installed" in step.log


def test_a_package_with_another_hash_is_refused(tmp_path: Path, action: Path, index: PackageIndex) -> None:
    """An index that serves other code than what the lock files name is of no use to anybody."""
    changed = tmp_path / "changed"
    shutil.copytree(action, changed)
    lock = changed / "requirements/action.txt"
    lock.write_text(lock.read_text()[:-65] + "0" * 64 + "\n")
    step = _job(tmp_path, changed, index).set_up()
    assert step.code == 3
    assert "Hash mismatch" in step.log


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("index-url", "http://mirror.example/simple", "The input index-url is 'http://mirror.example/simple'."),
        ("index-url", "https://mirror.example/a b", "Give the https URL of a package index"),
        ("index-url", "http://me:secret@mirror.example", "'http://***@mirror.example'"),
        ("index-url", "--find-links=/evil", "The input index-url is '--find-links=/evil'."),
        ("python", "python9", "The input python is 'python9', and there is no such program"),
        ("python", "--version", "The input python is '--version', and there is no such program"),
        ("python", "bash", "perfci needs Python 3.11 or newer, bash is "),
    ],
)
def test_must_07_a_bad_input_of_the_set_up_is_named(name: str, value: str, message: str, job: Job) -> None:
    """One annotation with the input, its value (but no password) and what is allowed; exit code 2."""
    step = job.set_up(**{name: value})
    assert step.code == 2, step.log
    (line,) = [line for line in step.log.splitlines() if line.startswith("::error title=perfci::")]
    assert message in line
    assert "secret" not in step.log
    assert [path.name for path in job.runner.temp.glob("*/venv")] == []


@pytest.mark.parametrize(
    "value", ['$(touch "$OWNED")', '`touch "$OWNED"`', '"; touch "$OWNED"; "', "a\n::set-output name=python::evil\n%0A"]
)
@pytest.mark.parametrize("name", ["python", "index-url"])
def test_must_08_inputs_of_the_set_up_evaluate_nothing(name: str, value: str, job: Job) -> None:
    """Quotes, substitutions and line breaks stay text: nothing is run, no output and no workflow command is added."""
    step = job.set_up(**{name: value})
    assert step.code == 2, step.log
    assert not job.owned.exists()
    assert step.files["GITHUB_OUTPUT"] == ""
    commands = [line for line in step.log.splitlines() if line.startswith("::")]
    assert len(commands) == 1
    assert commands[0].startswith("::error title=perfci::The input ")


def test_an_interpreter_whose_library_lies_elsewhere_starts(tmp_path: Path, action: Path, index: PackageIndex) -> None:
    """As those of actions/setup-python do in a tool cache of another place: `libraries` tells the later steps."""
    (tmp_path / "tool/bin").mkdir(parents=True)
    python = tmp_path / "tool/bin/python"
    python.write_text(
        f'#!/bin/sh\n[ "$LD_LIBRARY_PATH" = "{tmp_path}/tool/lib" ] || exit 127\nexec "{sys.executable}" "$@"\n'
    )
    python.chmod(0o755)
    step = _job(tmp_path, action, index).set_up(python=str(python))
    assert step.code == 0, step.log
    assert step.outputs["libraries"] == f"{tmp_path}/tool/lib"
