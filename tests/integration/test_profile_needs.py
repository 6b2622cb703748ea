"""What a profile needs can be given: each of it reaches the Locust file in turns, in the census and under load."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci import store
from perfci.errors import LoadError
from perfci.model import RoundKind, Side
from perfci.rig.load.generator import Place
from perfci.rig.load.rounds import duet_round
from perfci.rig.load.runtime import Runtime
from tests.builders import a_plan
from tests.fakes.driven import drive, serving
from tests.fakes.shell import Shell, shell_in
from tests.fakes.toy_project import CONFIG, MEASURED, RUN, endpoints, write

pytestmark = pytest.mark.kind("C")

ARGUMENTS = """
import os
from pathlib import Path

from locust import FastHttpUser, constant, events, tag, task

WORDS = Path("words.txt").read_text().split()


@events.init_command_line_parser.add_listener
def own(parser):
    parser.add_argument("--shop", required=True)
    parser.add_argument("--user-count", type=int, default=0)
    parser.add_argument("--pages", nargs="*")
    parser.add_argument("--address", env_var="LOCUST_SHOP_ADDRESS")


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def everything(self):
        options = self.environment.parsed_options
        assert options.address == self.host == os.environ["SHOP_URL"], (options.address, self.host)
        assert self.host.endswith(":" + os.environ["SHOP_PORT"])
        self.client.get(f"/{options.shop}/{options.user_count}/{'-'.join(options.pages)}/{WORDS[0]}")

    @tag("dangerous")
    @task
    def never(self):
        self.client.get("/never")
"""
OTHER = """
from locust import HttpUser, constant, task


class Second(HttpUser):
    wait_time = constant(0.02)

    @task
    def another(self):
        self.client.get("/second")
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A project with the toy as its service; whatever a test does, nothing of it runs on."""
    with shell_in(tmp_path / "project", {"perfci.toml": CONFIG}, state=tmp_path / "state") as shell:
        yield shell


def test_folder_arguments_variables_and_tags_reach_every_kind_of_round(shell: Shell, tmp_path: Path) -> None:
    """Several files are one profile; each side is given its own address; Locust abbreviates no option of the file."""
    write(
        shell,
        {"load/first.py": ARGUMENTS, "load/more/second.py": OTHER, "load/_part.py": "1 / 0", "data/words.txt": "word"},
        profile='locustfile = ["load"]\nworking_directory = "data"',
        scenario="""
arguments = ["--shop", "north", "--user-count=3", "--pages", "1", "2"]
environment = { LOCUST_SHOP_ADDRESS = "{url}", SHOP_URL = "{url}", SHOP_PORT = "{port}" }
exclude_tags = ["dangerous"]
user_classes = ["Visitor", "Second"]
""",
    )
    done = shell.perfci(*RUN, "--output", str(tmp_path / "out"))
    assert done.returncode in MEASURED, done.stdout + done.stderr
    assert endpoints(tmp_path / "out") == {kind: {"GET /north/3/1-2/word", "GET /second"} for kind in RoundKind}


def test_arguments_that_the_file_does_not_take_are_told(shell: Shell) -> None:
    """By the words of the parser, not by the end of a log."""
    write(shell, {"toy.py": ARGUMENTS, "words.txt": "word"})
    done = shell.perfci(*RUN, "--census", "off")
    assert done.returncode == 3
    assert "the following arguments are required: --shop" in " ".join(done.stdout.split())
    (finding,) = json.loads((_run_folder(shell) / "result.json").read_text())["findings"]
    assert "arguments" in finding["message"] + finding["hint"]


def _run_folder(shell: Shell) -> Path:
    (folder,) = [path for path in (shell.project / ".perfci" / "runs").iterdir() if path.is_dir()]
    return folder


@pytest.mark.parametrize(
    ("more", "message"),
    [("--typo", "unrecognized arguments: --typo"), ("Visitor", "name user classes in `user_classes`")],
)
def test_an_argument_too_many_is_told(tmp_path: Path, more: str, message: str) -> None:
    """Before the first turn."""
    for name, content in {"profile.py": ARGUMENTS, "words.txt": "word"}.items():
        (tmp_path / name).write_text(content)
    place = Place(
        source=tmp_path,
        folder=tmp_path / "logs",
        environ=os.environ,
        state=tmp_path / "state",
        watch=lambda _: None,
        runtime=Runtime(arguments=("--shop", "north", more)),
    )
    plan = a_plan(locustfile="profile.py", user_classes=())
    with serving() as service, pytest.raises(LoadError) as caught, duet_round(plan, place) as take_turns:
        take_turns(dict.fromkeys(Side, service.url), times=(0.1, 0.2), rng_seed=1)
    assert message in f"{caught.value} {caught.value.hint}"


def test_two_files_with_a_class_of_one_name_are_refused(tmp_path: Path) -> None:
    """Locust refuses them, too: one of them would never be driven."""
    with pytest.raises(LoadError, match="Duplicate user class names: Second"):
        drive(
            tmp_path,
            files={"a.py": OTHER, "b.py": OTHER},
            runtime=Runtime(files=("a.py", "b.py")),
            user_classes=(),
        )


SERVICE = """
import os, sys
print("started with", os.environ["SHOP_PASSWORD"], os.environ.get("API_KEY"), flush=True)
os.execv(sys.executable, [sys.executable, "-m", "tests.fakes.toy", "--port", sys.argv[1]])
"""
WITH_SECRET = """
import os

from locust import HttpUser, constant, task

KEY = os.environ["API_KEY"]
print("the key is", KEY, os.environ.get("SHOP_PASSWORD"), flush=True)


class Visitor(HttpUser):
    wait_time = constant(0.02)

    @task
    def named(self):
        self.client.get("/one?key=" + KEY)

    @task
    def fails(self):
        with self.client.get("/two", catch_response=True) as response:
            response.failure("refused with " + KEY)

    @task
    def raises(self):
        self.client.get("/three")
        raise ValueError("raised with " + KEY)
"""


def test_secrets_arrive_by_name_and_are_nowhere_to_be_read(tmp_path: Path) -> None:
    """Not in a log, a report or a name, whoever prints them; a runner is told to mask them, too."""
    key, password = "key-4a5f0c", 'pass "w/rd'
    environ = {"API_KEY": key, "SHOP_PASSWORD": password, "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push"}
    with shell_in(tmp_path / "project", {}, state=tmp_path / "state", environ=environ, charts=True) as shell:
        files = {"toy.py": WITH_SECRET, "service.py": SERVICE}
        write(shell, files, top='secrets = { target = ["SHOP_PASSWORD"], load = ["API_KEY"] }\n')
        config = shell.project / "perfci.toml"
        config.write_text(config.read_text().replace('"-m", "tests.fakes.toy", "--port",', '"service.py",'))
        folder = tmp_path / "out"
        done = shell.perfci(*RUN, "--output", str(folder))
    assert done.returncode in {0, 3}, done.stdout + done.stderr
    assert {f"::add-mask::{key}", f"::add-mask::{password}"} <= set(done.stdout.splitlines())
    shown = "\n".join(line for line in done.stdout.splitlines() if not line.startswith("::add-mask::")) + done.stderr
    stored = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    for secret in (key, password, json.dumps(password)[1:-1]):
        assert secret not in shown
        assert [file for file, content in stored.items() if secret.encode() in content] == []
    asked = {name for round_ in store.load(folder).rounds for name in round_.endpoints}
    assert {"GET /one?key=***", "GET /two", "GET /three"} <= asked
    logs = b"".join(content for file, content in stored.items() if "logs" in file.parts)
    assert b"started with ********** None" in logs  # it was there, and the other one was not
    assert b"the key is ********** None" in logs


def test_a_secret_that_is_not_given_is_told_with_the_line_that_gives_it(shell: Shell) -> None:
    """The Locust file fails at its first line: what was withheld is the next step."""
    write(shell, {"toy.py": WITH_SECRET})
    done = Shell(project=shell.project, environ={**shell.environ, "API_KEY": "k-123456"}, tag=shell.tag).perfci(
        *RUN, "--census", "off"
    )
    assert done.returncode == 3
    assert "KeyError: 'API_KEY'" in done.stdout
    assert 'secrets = { load = ["API_KEY"] }' in " ".join(done.stdout.split())
    assert "k-123456" not in done.stdout + done.stderr
