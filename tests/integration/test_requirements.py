"""What a Locust file imports beside Locust: installed for the load alone, once, from the index that pip is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from perfci.model import RoundKind
from tests.fakes.package_index import PackageIndex, serving
from tests.fakes.shell import Perfci, Shell, shell_in
from tests.fakes.toy_project import MEASURED, RUN, endpoints, write

pytestmark = pytest.mark.kind("C")

PROFILE = """
import importlib.metadata

import shopwords
from locust import FastHttpUser, constant, task


class Visitor(FastHttpUser):
    wait_time = constant(0.02)

    @task
    def one(self):
        self.client.get(f"/{shopwords.WORD}/{importlib.metadata.version('shopwords')}")
"""
SERVICE = """
import sys, subprocess
try:
    import shopwords
except ModuleNotFoundError:
    sys.argv[0:1] = [sys.executable, "-m", "tests.fakes.toy", "--port"]
    sys.exit(subprocess.call(sys.argv))
raise SystemExit("the service sees what the load requires")
"""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PackageIndex]:
    """An index with one package."""
    with serving(PackageIndex(tmp_path_factory.mktemp("index") / "files")) as index:
        (index.folder / "line").write_text(index.add("shopwords", {"shopwords.py": b"WORD = 'badge'\n"}))
        yield index


@pytest.fixture
def shell(tmp_path: Path, index: PackageIndex) -> Iterator[Shell]:
    """A project whose pip knows that index alone."""
    environ = {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": index.url,
        "PIP_CERT": str(index.certificate),
        "REQUESTS_CA_BUNDLE": str(index.certificate),  # stronger than pip's own, where it is set
        "PIP_FIND_LINKS": "",
        "PIP_CACHE_DIR": str(tmp_path / "pip"),
    }
    with shell_in(tmp_path / "project", {}, state=tmp_path / "state", environ=environ) as shell:
        yield shell


def test_requirements_are_installed_for_the_load_alone_and_once(
    shell: Shell, index: PackageIndex, tmp_path: Path
) -> None:
    """From a file with hashes; the service has none of it, and a second run asks no index."""
    lock = (index.folder / "line").read_text()
    write(
        shell,
        {"toy.py": PROFILE, "service.py": SERVICE, "needs.txt": "-r lock.txt\n", "lock.txt": lock},
        profile='locustfile = "toy.py"\nrequirements = "needs.txt"',
    )
    config = shell.project / "perfci.toml"
    config.write_text(config.read_text().replace('"-m", "tests.fakes.toy", "--port",', '"service.py",'))
    done = shell.perfci(*RUN, "--output", str(tmp_path / "out"))
    assert done.returncode in MEASURED, done.stdout + done.stderr
    assert endpoints(tmp_path / "out") == {kind: {"GET /badge/1.0"} for kind in RoundKind}
    assert "installing what the Locust file requires" in done.stderr
    asked = len(index.asked)
    assert asked
    again = shell.perfci(*RUN, "--census", "only", "--output", str(tmp_path / "again"))
    assert again.returncode == 0, again.stdout + again.stderr
    assert len(index.asked) == asked
    kept = shell.project.parent / "state" / "perfci" / "load"
    assert len(list(kept.iterdir())) == 1
    assert shell.perfci("clean").stdout == "removed 1 environment of the load\n"
    assert not kept.exists()
    assert shell.perfci("clean").stdout == "nothing was left running\n"


@pytest.mark.parametrize(
    ("requirements", "code", "message"),
    [
        ('["shopwords"]', 0, ""),
        ('["shopwords==1.1"]', 3, "shopwords==1.1"),
        ('"tampered.txt"', 3, "Expected sha256"),
    ],
)
def test_what_cannot_be_installed_is_told(shell: Shell, requirements: str, code: int, message: str) -> None:
    """By what pip says of it, before anything starts."""
    tampered = "shopwords==1.0 --hash=sha256:" + "0" * 64
    write(
        shell,
        {"toy.py": PROFILE, "tampered.txt": tampered},
        profile=f'locustfile = "toy.py"\nrequirements = {requirements}',
    )
    done = shell.perfci(*RUN, "--census", "only")
    assert done.returncode == code, done.stdout + done.stderr
    said = " ".join((done.stdout + done.stderr).split())
    assert message in said
    assert "Traceback" not in said
    assert list((shell.project.parent / "state" / "perfci").glob("load/new-*")) == []


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        ('["locust==2.30.0"]', "the requirements ask for locust==2.30.0, and perfci drives with Locust"),
        ('"none.txt"', "the requirements none.txt cannot be read"),
        ('"../none.txt"', "lies outside the project"),
        ('["--index-url", "x"]', "each is a package with its version"),
    ],
)
def test_requirements_that_make_no_sense_are_a_mistake_of_the_configuration(
    perfci: Perfci, tmp_path: Path, requirements: str, message: str
) -> None:
    """Told before pip is asked."""
    project = Shell(project=tmp_path, environ={}, tag="")
    write(project, {"toy.py": PROFILE}, profile=f'locustfile = "toy.py"\nrequirements = {requirements}')
    code, out, err = perfci(*RUN, "--census", "only")
    assert code == 2, out + err
    assert message in " ".join((out + err).split())


def test_a_module_that_is_missing_is_told_with_the_key_that_brings_it(shell: Shell) -> None:
    """The next step is a line of the configuration."""
    write(shell, {"toy.py": PROFILE})
    done = shell.perfci(*RUN, "--census", "off")
    assert done.returncode == 3
    assert 'requirements = ["PACKAGE"]' in " ".join(done.stdout.split())
