"""Which compose project of a tree is read, how, and what is said where it cannot be copied."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perfci.errors import ConfigError, TargetError
from perfci.model import Side
from perfci.rig import target
from perfci.rig.host import docker, leftovers
from perfci.rig.host.environment import JobEnvironment
from perfci.rig.target.project import Project, resolve
from perfci.rig.target.running import Launch
from perfci.rig.target.stack import project_name
from tests.fakes import docker_cli

pytestmark = pytest.mark.kind("M")

PLAIN = {"services": {"web": {"image": "a"}, "debug": {"image": "a", "profiles": ["tools"]}}}
PREFIX = "perfci-base-0123abcd"


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A tree with a compose file, and a docker that knows the project `PLAIN`."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/compose.yaml").touch()
    return Launch(
        source=tmp_path / "tree",
        workspace=tmp_path / "logs",
        state=tmp_path / "state",
        side=Side.CANDIDATE,
        label="run-candidate-1",
        environ=docker_cli.install(tmp_path, {"project": PLAIN, "images": []}),
        counted=False,
        side_by_side=True,
    )


def _state(launch: Launch) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(Path(launch.environ["FAKE_DOCKER"]).read_text())
    return state


def _project(launch: Launch, config: dict[str, Any]) -> None:
    docker_cli.tell(Path(launch.environ["FAKE_DOCKER"]).parent, {"project": config, "images": []})


def _compose_command(launch: Launch) -> str:
    return " ".join(_state(launch)["asked"][0][0])


def test_the_service_of_an_inactive_profile_names_it(launch: Launch) -> None:
    """The message has the line to add; with it, the service is there, and is started whatever its profile."""
    with pytest.raises(ConfigError, match="'debug' belongs to the compose profile 'tools'") as caught:
        resolve(Project(service="debug", port=80), launch)
    assert 'profiles = ["tools"]' in caught.value.hint
    assert "profiles" not in resolve(Project(service="debug", port=80, profiles=("tools",)), launch).services["debug"]


def test_an_inactive_profile_in_the_bases_file_is_no_error_of_usage(launch: Launch) -> None:
    """A change cannot mend the base: it cannot be had."""
    with pytest.raises(TargetError, match="belongs to the compose profile"):
        resolve(Project(service="debug", port=80), replace(launch, side=Side.BASE))


def test_several_files_are_read_in_their_order(launch: Launch) -> None:
    """All are given to compose, each in the side's own tree."""
    (launch.source / "perf.yaml").touch()
    resolve(Project(service="web", port=80, files=("compose.yaml", "perf.yaml")), launch)
    assert f"-f {launch.source}/compose.yaml -f {launch.source}/perf.yaml config" in _compose_command(launch)


def test_compose_reads_the_files_of_a_side_once(launch: Launch) -> None:
    """Later starts have the same project under names of their own, wherever the name of the first one stood in it."""
    named = {"services": {"web": {"image": "a", "environment": {"STACK": project_name(launch.label)}}}}
    _project(launch, named)
    resolve(Project(service="web", port=80), launch)
    asked = len(_state(launch)["asked"])

    later = resolve(Project(service="web", port=80), replace(launch, label="run-candidate-2"), anew=False)
    assert len(_state(launch)["asked"]) == asked
    assert later.name == "perfci-run-candidate-2"
    assert later.services["web"]["environment"]["STACK"] == later.name

    _project(launch, {"services": {"web": {"image": "b"}}})
    assert resolve(Project(service="web", port=80), launch).services["web"]["image"] == "b"


def test_the_files_of_the_trees_own_env_file_are_obeyed(launch: Launch) -> None:
    """COMPOSE_FILE in `.env` is compose's to read: perfci only sees that the files are there."""
    (launch.source / "compose.yaml").rename(launch.source / "stack.yaml")
    (launch.source / ".env").write_text("# x\nexport COMPOSE_FILE='stack.yaml:more.yaml' # both\n")
    with pytest.raises(TargetError, match=r"looked for more\.yaml"):
        resolve(Project(service="web", port=80), launch)
    (launch.source / "more.yaml").touch()
    resolve(Project(service="web", port=80), launch)
    assert " -f " not in _compose_command(launch)


@pytest.mark.parametrize(("name", "key"), [("COMPOSE_FILE", "files"), ("COMPOSE_PROFILES", "profiles")])
def test_settings_of_the_job_are_named_as_not_obeyed(launch: Launch, name: str, key: str) -> None:
    """They would hold for both sides, and are kept from compose; the same in `env` of [target] is passed on."""
    launch = replace(launch, environ={**launch.environ, name: "compose.yaml"})
    (warning,) = resolve(Project(service="web", port=80), launch).warnings
    assert warning == f"{name} in the environment is not obeyed: name them in [target], {key} = [...]"
    assert _state(launch)["asked"][0][1].get("COMPOSE_FILE") is None
    assert resolve(Project(service="web", port=80, env={name: "compose.yaml"}), launch).warnings == ()


def test_variables_for_the_folder_lead_to_the_sides_own_tree(launch: Launch) -> None:
    """`${PWD}/data` of the base is not the candidate's."""
    resolve(Project(service="web", port=80), launch)
    assert _state(launch)["asked"][0][1]["PWD"] == str(launch.source)


@pytest.mark.parametrize(("side", "kind"), [(Side.CANDIDATE, ConfigError), (Side.BASE, TargetError)])
def test_what_cannot_run_twice_is_refused_before_anything_starts(
    launch: Launch, side: Side, kind: type[Exception]
) -> None:
    """In the candidate's file it is an error of usage; the base's file is not for the change to mend."""
    _project(launch, {"services": {"web": {"image": "a"}, "db": {"image": "b", "ipc": "host"}}})
    launch = replace(launch, side=side)
    with pytest.raises(kind, match="service 'db' has ipc 'host'"):
        resolve(Project(service="web", port=80), launch)
    assert resolve(Project(service="web", port=80), replace(launch, side_by_side=False)).warnings == ()


def test_mounted_files_are_searched_for_addresses(launch: Launch) -> None:
    """A configuration that names an address of a fixed subnet is named by its path in the tree."""
    (launch.source / "conf").mkdir()
    (launch.source / "conf/proxy.conf").write_text("server 172.31.77.3;")
    mount = {"type": "bind", "source": str(launch.source / "conf"), "target": "/c"}
    networks = {"back": {"ipam": {"config": [{"subnet": "172.31.77.0/24"}]}}}
    _project(launch, {"services": {"web": {"image": "a", "volumes": [mount]}}, "networks": networks})
    with pytest.raises(ConfigError, match=r"conf/proxy\.conf mentions 172\.31\.77\.3"):
        resolve(Project(service="web", port=80), launch)


@pytest.mark.parametrize("data", ["data", "d\u00e2ta"])
def test_only_folders_that_git_does_not_have_are_told(launch: Launch, data: str) -> None:
    """A folder of the source is not, an empty one that git keeps is; outside of a repository nothing is known."""
    mounts = [{"type": "bind", "source": str(launch.source / name), "target": f"/{name}"} for name in ("src", data)]
    for name in ("src", data):
        (launch.source / name).mkdir()
        (launch.source / name / "file").touch()
    (launch.source / data / ".gitkeep").touch()
    _project(launch, {"services": {"web": {"image": "a", "volumes": mounts}}})
    assert resolve(Project(service="web", port=80), launch).warnings == ()
    for command in (["init", "-q"], ["add", "src", f"{data}/.gitkeep"]):
        subprocess.run(["git", *command], cwd=launch.source, check=True)
    (warning,) = resolve(Project(service="web", port=80), launch).warnings
    assert f"writes to {data} in the tree" in warning


def test_file_and_files_are_not_given_both() -> None:
    """One of them says which files there are."""
    table = {"kind": "compose", "service": "web", "port": 80, "file": "a", "files": ["b"]}
    with pytest.raises(ConfigError, match="give file or files, not both"):
        target.parse(table, where="test")


def _images(launch: Launch, *, in_use: bool = False) -> None:
    folder = Path(launch.environ["FAKE_DOCKER"]).parent
    names = [f"{PREFIX}-web:latest", f"{PREFIX}-db:latest", "perfci-base-99999999-web:latest", "app:1"]
    docker_cli.tell(folder, {"images": names, "in_use": in_use})


def test_only_images_of_this_perfci_are_removed(launch: Launch) -> None:
    """They go when it ends, and their note with them; those of others stay."""
    _images(launch)
    leftovers.note_images(launch.state, PREFIX)
    leftovers.note_images(launch.state, PREFIX)
    assert len(list(launch.state.iterdir())) == 1
    leftovers.release(launch.state, environ=launch.environ)
    assert _state(launch)["images"] == ["perfci-base-99999999-web:latest", "app:1"]
    assert list(launch.state.iterdir()) == []


def test_images_that_the_engine_keeps_are_kept_in_mind(launch: Launch) -> None:
    """The note stays for a later sweep, which says what it removed."""
    _images(launch, in_use=True)
    leftovers.note_images(launch.state, PREFIX)
    leftovers.release(launch.state, environ=launch.environ)
    (note,) = launch.state.iterdir()
    assert leftovers.sweep(launch.state, environ=launch.environ) == []  # its owner lives
    dead = leftovers.Note.model_validate_json(note.read_bytes())
    note.write_text(
        dead.model_copy(update={"owner": dead.owner.model_copy(update={"started_at": 1.0})}).model_dump_json()
    )
    _images(launch)
    assert leftovers.sweep(launch.state, environ=launch.environ) == [f"removed images {PREFIX}-* (2)"]


@pytest.mark.parametrize("prefix", ["", "app", "perfci-base-", "perfci-base-*", "perfci-other-0123abcd"])
def test_images_by_another_name_cannot_be_removed(launch: Launch, prefix: str) -> None:
    """Only names with perfci's own prefix, whole."""
    _images(launch)
    assert docker.remove_images(prefix, environ=launch.environ) == 0
    assert len(_state(launch)["images"]) == 4


def _checkout(launch: Launch, *names: str) -> Launch:
    """The side as a tree of its own, which has files of these *names*, beside the checkout that has them as well."""
    checkout = launch.source.parent / "checkout"
    for root in (checkout, launch.source):
        (root / ".git").mkdir(parents=True)
    for name in names:
        for root in (checkout, launch.source):
            (root / name).touch()
    return replace(launch, working_tree=checkout)


def test_paths_into_the_checkout_are_those_of_the_sides_own_tree(launch: Launch) -> None:
    """Where they are written out; of mounts, builds, contexts, secrets and volumes. What lies elsewhere stays."""
    side = _checkout(launch, "data", "lib", "key")
    here, own = f"{side.working_tree}", f"{side.source}"
    service = {
        "build": {"context": here, "dockerfile": "Dockerfile", "additional_contexts": {"lib": f"{here}/lib"}},
        "volumes": [
            {"type": "bind", "source": f"{here}/data", "target": "/data", "read_only": True},
            {"type": "bind", "source": "/etc/hosts", "target": "/etc/hosts", "read_only": True},
        ],
    }
    secrets = {"key": {"file": f"{here}/key"}, "other": {"environment": "KEY"}}
    _project(launch, {"services": {"web": service}, "secrets": secrets})
    stack = resolve(Project(service="web", port=80), side)
    copied = json.loads(stack.file.read_text())
    web = copied["services"]["web"]
    assert web["build"] == {
        "context": own,
        "dockerfile": "Dockerfile",
        "additional_contexts": {"lib": f"{own}/lib"},
    }
    assert [mount["source"] for mount in web["volumes"]] == [f"{own}/data", "/etc/hosts"]
    assert copied["secrets"] == {"key": {"file": f"{own}/key"}, "other": {"environment": "KEY"}}


def test_what_a_path_into_the_checkout_hides_is_named(launch: Launch) -> None:
    """A file that git does not have, and one that compose itself has read already, such as an env_file."""
    side = _checkout(launch)
    (launch.source.parent / "checkout/made").touch()
    made, env_file = f"{side.working_tree}/made", f"{side.working_tree}/settings.env"
    mount = {"type": "bind", "source": made, "target": "/made", "read_only": True}
    _project(launch, {"services": {"web": {"image": "a", "volumes": [mount]}}})
    (launch.source / "compose.yaml").write_text(f"env_file: [{env_file}]\nvolumes: ['{made}:/made:ro']\n")
    with pytest.raises(ConfigError) as caught:
        resolve(Project(service="web", port=80), side)
    assert f"a bind mount of service 'web' is {made}, of which this side has nothing" in str(caught.value)
    assert f"the compose file names {env_file}, which is the other side's" in str(caught.value)
    assert str(caught.value).count(made) == 1


def test_a_build_with_the_ssh_agent_needs_it_to_be_passed_on(launch: Launch) -> None:
    """The agent speaks for the job: it is given to nobody who is not named. A key of its own needs no agent."""
    for ssh, environ in (
        (["default"], {"SSH_AUTH_SOCK": "/agent"}),
        (["default=/key"], {}),
    ):
        service = {"build": {"context": "/x", "ssh": ssh}}
        _project(launch, {"services": {"web": service}})
        given = JobEnvironment({**launch.environ, **environ}, passed=["SSH_AUTH_SOCK"])
        resolve(Project(service="web", port=80), replace(launch, environ=given))
    _project(launch, {"services": {"web": {"build": {"context": "/x", "ssh": ["default"]}}}})
    with pytest.raises(ConfigError, match="the build of service 'web' asks for the SSH agent"):
        resolve(Project(service="web", port=80), replace(launch, environ={**launch.environ, "SSH_AUTH_SOCK": "/agent"}))


def test_a_service_whose_port_cannot_be_published_is_an_error_of_usage(launch: Launch) -> None:
    """Whether one side runs or two; in the base's file, that base cannot be had."""
    _project(launch, {"services": {"web": {"image": "a", "network_mode": "host"}}})
    with pytest.raises(ConfigError, match="it has network_mode 'host'"):
        resolve(Project(service="web", port=80), replace(launch, side_by_side=False))
    with pytest.raises(TargetError, match="it has network_mode 'host'"):
        resolve(Project(service="web", port=80), replace(launch, side=Side.BASE))
