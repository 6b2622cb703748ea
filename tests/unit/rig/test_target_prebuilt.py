"""A side starts the image that a registry has of its commit, and is built where there is none."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import ConfigError
from perfci.model import Side
from perfci.rig import target
from perfci.rig.target import prebuilt
from perfci.rig.target.project import Project, resolve
from perfci.rig.target.running import Launch
from tests.fakes import docker_cli

pytestmark = pytest.mark.kind("M")

BUILT = {
    "services": {
        "web": {"image": "shop:dev", "build": {"context": "."}},
        "worker": {"image": "shop:dev"},
        "db": {"image": "postgres:17"},
    }
}
IMAGES = {"web": "registry.test/shop:{commit}"}


def _git(tree: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b.test", *arguments]
    return subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A commit with a compose file that builds one service, which another one uses, too."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "compose.yaml").write_text("services: {}\n")
    _git(tree, "init", "-q")
    _git(tree, "add", ".")
    _git(tree, "commit", "-qm", "first")
    return Launch(
        source=tree,
        workspace=tmp_path / "logs",
        state=tmp_path / "state",
        side=Side.CANDIDATE,
        label="run-candidate-1",
        environ=docker_cli.install(tmp_path, {"project": BUILT, "images": ["postgres:17"]}),
        counted=False,
        side_by_side=True,
    )


def _registry(launch: Launch, *names: str, project: dict[str, Any] = BUILT) -> None:
    state = {"project": project, "images": ["postgres:17"], "registry": names}
    docker_cli.tell(Path(launch.environ["FAKE_DOCKER"]).parent, state)


def _image(launch: Launch) -> str:
    return f"registry.test/shop:{_git(launch.source, 'rev-parse', 'HEAD')}"


def _services(launch: Launch) -> dict[str, Any]:
    stack = resolve(Project(service="web", port=80, images=IMAGES), launch)
    services: dict[str, Any] = json.loads(stack.file.read_text())["services"]
    return services


def test_the_image_of_the_commit_takes_the_place_of_the_build(launch: Launch) -> None:
    """Also in the services that use the image, and nothing is built; the report says that it was not built here."""
    image = _image(launch)
    _registry(launch, image)
    (note,) = prebuilt.pull(IMAGES, launch, timeout_s=20)
    assert note == f"web of the candidate is the image {image}, which was not built here"
    services = _services(launch)
    assert (services["web"]["image"], services["worker"]["image"]) == (image, image)
    assert services["web"]["pull_policy"] == "never"
    assert "build" not in services["web"]
    assert services["db"]["image"] == "postgres:17"


def test_an_image_that_an_earlier_step_has_built_is_not_pulled(launch: Launch) -> None:
    """What the engine has under the name of the commit is taken as it is."""
    docker_cli.tell(
        Path(launch.environ["FAKE_DOCKER"]).parent, {"project": BUILT, "images": [_image(launch), "postgres:17"]}
    )
    (note,) = prebuilt.pull(IMAGES, launch, timeout_s=20)
    assert "which was not built here" in note
    assert _services(launch)["web"]["image"] == _image(launch)


def test_a_side_without_an_image_is_built(launch: Launch) -> None:
    """Another commit's image is no substitute; the reader learns why it was built."""
    _registry(launch, "registry.test/shop:0ddba11")
    (note,) = prebuilt.pull(IMAGES, launch, timeout_s=20)
    assert note.startswith("web of the candidate is built: ")
    assert "manifest unknown" in note
    services = _services(launch)
    assert services["web"]["build"] == {"context": "."}
    assert services["web"]["image"].startswith("perfci-candidate-")
    assert services["worker"]["image"] == services["web"]["image"]


@pytest.mark.parametrize("pulled", [True, False])
@pytest.mark.parametrize("base", [{"image": "shop:dev", "build": {"context": "."}}, {"build": {"context": "."}}])
def test_a_build_takes_from_another_service_what_that_service_starts(
    launch: Launch, base: dict[str, Any], *, pulled: bool
) -> None:
    """Its image of the commit, as an additional context, too; compose's own "service:" where it is built."""
    contexts = {"lib": "service:web", "other": "service:job", "files": "./files"}
    job = {"build": {"context": ".", "additional_contexts": contexts}}
    project = {"services": {"web": base, "job": job, "db": {"image": "postgres:17"}}}
    image = _image(launch)
    _registry(launch, *([image] if pulled else []), project=project)
    prebuilt.pull(IMAGES, launch, timeout_s=20)
    services = _services(launch)
    taken = f"docker-image://{image}" if pulled else "service:web"
    assert services["job"]["build"]["additional_contexts"] == {**contexts, "lib": taken}
    assert ("build" in services["web"]) is not pulled


@pytest.mark.parametrize("name", ["compose.yaml", "new.py"])
def test_edited_files_are_never_measured_as_their_commit(launch: Launch, name: str) -> None:
    """An edited or a new file is not in the image of the commit."""
    _registry(launch, _image(launch))
    (launch.source / name).write_text("services: {web: {}}\n")
    (note,) = prebuilt.pull(IMAGES, launch, timeout_s=20)
    assert note == "the files of the candidate are not exactly those of a commit: its images are built"
    assert "build" in _services(launch)["web"]


def test_ignored_files_do_not_count(launch: Launch) -> None:
    """What a build or perfci itself leaves in the tree is no edit."""
    (launch.source / ".gitignore").write_text("*.log\n")
    _git(launch.source, "add", ".gitignore")
    _git(launch.source, "commit", "-qm", "second")
    (launch.source / "run.log").touch()
    _registry(launch, _image(launch))
    prebuilt.pull(IMAGES, launch, timeout_s=20)
    assert _services(launch)["web"]["image"] == _image(launch)


def test_a_service_that_nobody_builds_needs_its_image(launch: Launch) -> None:
    """Else both sides would start the image that the compose file names, and be compared with themselves."""
    _registry(launch, project={"services": {"web": {"image": "shop:latest"}}})
    prebuilt.pull(IMAGES, launch, timeout_s=20)
    with pytest.raises(ConfigError, match="no image of the service 'web' for its commit") as caught:
        _services(launch)
    assert "push the image" in caught.value.hint


def test_an_unknown_service_is_an_error(launch: Launch) -> None:
    """A typing mistake would otherwise build for ever."""
    _registry(launch)
    with pytest.raises(ConfigError, match=r"names the service 'wbe', and the compose file has db, web, worker"):
        resolve(Project(service="web", port=80, images={"wbe": IMAGES["web"]}), launch)


def test_an_image_without_the_commit_is_refused() -> None:
    """Both sides would start it."""
    table = {"kind": "compose", "service": "web", "port": 80, "images": {"web": "registry.test/shop:latest"}}
    with pytest.raises(ConfigError, match=r"the image of web must contain \{commit\}"):
        target.parse(table, where="test")
