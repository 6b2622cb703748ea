"""How a resolved compose file is made to run beside another copy of itself."""

from typing import Any

import pytest

from perfci.errors import TargetError
from perfci.rig.target import images
from perfci.rig.target.isolation import Copy, Isolated, isolate

pytestmark = pytest.mark.kind("M")


def _isolated(config: dict[str, Any], **changes: Any) -> Isolated:
    options: dict[str, Any] = {
        "project": "perfci-x",
        "service": "web",
        "port": 80,
        "tag": "perfci-base-1",
        "build": True,
        "side_by_side": True,
        "root": "/tree",
    }
    return isolate(config, Copy(**{**options, **changes}))


def _with(services: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"services": {"web": {"image": "a", "networks": {"default": None}}, **services}, **top}


def _mounting(source: str, *, read_only: bool = False) -> dict[str, Any]:
    mount = {"type": "bind", "source": source, "target": "/t", "bind": {"create_host_path": True}}
    return _with({"db": {"image": "b", "volumes": [{**mount, "read_only": read_only}]}})


def test_fixed_names_and_ports_are_gone() -> None:
    """What a second copy would stumble over is removed."""
    config = {
        "name": "fixed",
        "services": {
            "web": {"image": "a", "container_name": "web", "ports": [{"target": 80, "published": "80"}]},
            "db": {"image": "b", "ports": [{"target": 5432, "published": "5432"}]},
        },
        "networks": {"default": {"name": "n"}, "empty": None},
        "volumes": {"data": {"name": "v", "driver": "local"}},
        "secrets": {"s": {"file": "/f"}},
    }
    assert _isolated(config).config == {
        "name": "perfci-x",
        "services": {
            "web": {"image": "a", "ports": [{"target": 80, "host_ip": "127.0.0.1", "protocol": "tcp"}]},
            "db": {"image": "b"},
        },
        "networks": {"default": {}, "empty": {}},
        "volumes": {"data": {"driver": "local"}},
        "secrets": {"s": {"file": "/f"}},
    }
    assert config["name"] == "fixed"


def test_a_container_name_still_leads_to_its_service() -> None:
    """It becomes an alias in every network of the service, behind those it has; the hostname stays."""
    db = {
        "image": "b",
        "container_name": "shop-db",
        "hostname": "h",
        "networks": {"back": {"aliases": ["x"]}, "f": None},
    }
    changed = _isolated(_with({"db": db})).config["services"]["db"]
    assert changed["networks"] == {"back": {"aliases": ["x", "shop-db"]}, "f": {"aliases": ["shop-db"]}}
    assert changed["hostname"] == "h"
    assert "container_name" not in changed


def test_a_container_name_in_a_shared_namespace_leads_to_its_owner() -> None:
    """A service in the network of another one is reached there."""
    services = {"side": {"image": "b", "container_name": "shop-side", "network_mode": "service:web"}}
    assert _isolated(_with(services)).config["services"]["web"]["networks"] == {"default": {"aliases": ["shop-side"]}}


def test_the_port_of_a_shared_namespace_is_published_by_its_owner() -> None:
    """A service under test in the network of another one is reached by that one's port."""
    services = {"web": {"image": "a", "network_mode": "service:proxy"}, "proxy": {"image": "b"}}
    isolated = _isolated({"services": services})
    assert isolated.publisher == "proxy"
    assert isolated.config["services"]["proxy"]["ports"][0]["target"] == 80


@pytest.mark.parametrize("mode", ["host", "none", "container:abc"])
def test_a_network_mode_without_ports_is_refused(mode: str) -> None:
    """A service on the network of the machine would answer at the same port on both sides."""
    with pytest.raises(TargetError, match=f"network_mode '{mode}'"):
        _isolated({"services": {"web": {"image": "a", "network_mode": mode}}})


def test_chosen_profiles_are_not_asked_for_again() -> None:
    """What is in the resolved file is started, whatever profile it belongs to."""
    assert (
        "profiles"
        not in _isolated({"services": {"web": {"image": "a", "profiles": ["app"]}}}).config["services"]["web"]
    )


SUBNET = {"back": {"name": "n", "ipam": {"config": [{"subnet": "172.31.77.0/24", "gateway": "172.31.77.1"}]}}}


def _on_subnet(**more: Any) -> dict[str, Any]:
    store = {"image": "b", "networks": {"back": {"ipv4_address": "172.31.77.3", "aliases": ["s"]}}, **more}
    return _with({"store": store}, networks=SUBNET)


@pytest.mark.parametrize("side_by_side", [True, False])
def test_a_fixed_subnet_that_nobody_goes_by_is_left_to_the_engine(*, side_by_side: bool) -> None:
    """Its range and the addresses in it are taken out; aliases stay."""
    isolated = _isolated(_on_subnet(), side_by_side=side_by_side)
    assert isolated.problems == ()
    assert isolated.config["networks"] == {"back": {"ipam": {}}}
    assert isolated.config["services"]["store"]["networks"] == {"back": {"aliases": ["s"]}}


@pytest.mark.parametrize(
    ("more", "texts", "place"),
    [
        ({"environment": {"NEIGHBOUR": "172.31.77.2:8000"}}, {}, "environment of service 'store'"),
        ({"command": ["--peer", "http://172.31.77.9/x"]}, {}, "command of service 'store'"),
        ({"extra_hosts": ["db=172.31.77.9"]}, {}, "extra_hosts of service 'store'"),
        ({}, {"nginx.conf": "proxy_pass http://172.31.77.2;"}, "nginx.conf"),
    ],
)
def test_an_address_by_number_is_named(more: dict[str, Any], texts: dict[str, str], place: str) -> None:
    """Two copies cannot both have it; one alone keeps its range."""
    (problem,) = _isolated(_on_subnet(**more), texts=texts).problems
    assert place in problem
    assert "172.31.77.0/24" in problem
    alone = _isolated(_on_subnet(**more), texts=texts, side_by_side=False)
    assert alone.problems == ()
    assert alone.config["networks"]["back"]["ipam"] == SUBNET["back"]["ipam"]
    assert alone.config["services"]["store"]["networks"]["back"]["ipv4_address"] == "172.31.77.3"


def test_other_numbers_are_no_addresses_of_the_subnet() -> None:
    """Versions and addresses elsewhere do not count."""
    assert _isolated(_on_subnet(environment={"A": "10.0.0.1", "V": "1.172.31.77.3", "B": "300.1.1.1"})).problems == ()


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"network_mode": "host"}, "network_mode 'host'"),
        ({"network_mode": "container:x"}, "network_mode 'container:x'"),
        ({"ipc": "host"}, "ipc 'host'"),
        ({"pid": "container:x"}, "pid 'container:x'"),
        ({"volumes_from": ["container:x"]}, "volumes_from 'container:x'"),
        ({"external_links": ["x:y"]}, "external link 'x:y'"),
    ],
)
def test_what_two_copies_cannot_have_is_refused_by_name(service: dict[str, Any], message: str) -> None:
    """Side by side it is a problem that names the service; one copy alone may have it."""
    config = _with({"odd": {"image": "b", **service}})
    (problem,) = _isolated(config).problems
    assert "service 'odd'" in problem
    assert message in problem
    assert _isolated(config, side_by_side=False).problems == ()


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"privileged": True}, "is privileged"),
        ({"pid": "host"}, "pid 'host'"),
        ({"devices": [{"source": "/dev/kvm", "target": "/dev/kvm"}]}, "/dev/kvm"),
        ({"gpus": [{"count": 1}]}, "GPUs"),
        ({"cgroup_parent": "/x"}, "cgroup_parent '/x'"),
        ({"extra_hosts": ["here=host-gateway"]}, "host-gateway"),
        ({"volumes": [{"type": "bind", "source": "/var/run/docker.sock", "target": "/s"}]}, "the Docker engine"),
    ],
)
def test_what_two_copies_share_of_the_machine_is_told(service: dict[str, Any], message: str) -> None:
    """It stays as it is, and the reader learns of it by the name of the service."""
    config = _with({"odd": {"image": "b", **service}})
    isolated = _isolated(config)
    assert isolated.problems == ()
    (warning,) = isolated.warnings
    assert "service 'odd'" in warning
    assert message in warning
    assert _isolated(config, side_by_side=False).warnings == ()


@pytest.mark.parametrize("service", [{"devices": [{"source": "/dev/null"}]}, {"sysctls": {"net.core.somaxconn": "1"}}])
def test_what_each_container_has_of_its_own_is_nothing_to_tell(service: dict[str, Any]) -> None:
    """Harmless devices and settings of the container's own namespaces."""
    isolated = _isolated(_with({"odd": {"image": "b", **service}}))
    assert (isolated.problems, isolated.warnings) == ((), ())


def test_an_external_network_becomes_one_of_each_copy() -> None:
    """On a common one the names of the services would lead to both copies; one copy alone stays on it."""
    config = _with({}, networks={"default": {"name": "proxy", "external": True}})
    assert _isolated(config).config["networks"] == {"default": {}}
    assert _isolated(config, side_by_side=False).config["networks"] == {"default": {"name": "proxy", "external": True}}


def test_an_external_network_with_somebody_on_it_is_refused() -> None:
    """The services may need what is there, so it is named."""
    config = _with({}, networks={"default": {"name": "proxy", "external": True}})
    (problem,) = _isolated(config, occupied={"proxy": ("traefik",)}).problems
    assert "'proxy'" in problem
    assert "traefik" in problem


def test_two_networks_cannot_have_one_interface() -> None:
    """macvlan is refused by the name of the network; a fixed name of a bridge is dropped."""
    networks = {
        "lan": {"driver": "macvlan"},
        "own": {"driver_opts": {"com.docker.network.bridge.name": "br0", "x": "1"}},
    }
    isolated = _isolated(_with({}, networks=networks))
    assert "network 'lan'" in isolated.problems[0]
    assert isolated.config["networks"]["own"] == {"driver_opts": {"x": "1"}}


@pytest.mark.parametrize(
    ("read_only", "problems", "warnings", "outliving"),
    [(False, 1, 0, ("the external volume 'store'",)), (True, 0, 1, ())],
)
def test_an_external_volume_is_shared(*, read_only: bool, problems: int, warnings: int, outliving: tuple[str]) -> None:
    """Written to, it is refused, and what is in it outlives a block; only read, it is told."""
    mount = {"type": "volume", "source": "data", "target": "/d", "read_only": read_only}
    config = _with({"db": {"image": "b", "volumes": [mount]}}, volumes={"data": {"name": "store", "external": True}})
    isolated = _isolated(config)
    assert (len(isolated.problems), len(isolated.warnings), isolated.outliving) == (problems, warnings, outliving)
    assert all("'store'" in text for text in (*isolated.problems, *isolated.warnings))


def test_a_volume_that_is_a_folder_of_the_machine_is_refused() -> None:
    """A driver's option names the folder."""
    volume = {"driver_opts": {"type": "none", "o": "bind", "device": "/srv/data"}}
    mount = {"type": "volume", "source": "data", "target": "/d"}
    config = _with({"db": {"image": "b", "volumes": [mount]}}, volumes={"data": volume})
    assert "/srv/data" in _isolated(config).problems[0]


@pytest.mark.parametrize(
    ("source", "read_only", "refused"),
    [
        ("/srv/data", False, True),
        ("/srv/data", True, False),
        ("/tree/src", False, False),
        ("/treehouse", False, True),
        ("/etc/localtime", False, False),
    ],
)
def test_writable_mounts_from_outside_of_the_tree_are_refused(source: str, *, read_only: bool, refused: bool) -> None:
    """Files of a side's own tree are its own; what lies elsewhere is one for both."""
    problems = _isolated(_mounting(source, read_only=read_only)).problems
    assert bool(problems) is refused
    assert all(source in problem for problem in problems)


def test_a_data_folder_that_does_not_exist_becomes_a_volume() -> None:
    """The engine would leave it in the tree, with all data: a fresh volume is as empty, and goes with the copy."""
    isolated = _isolated(_mounting("/tree/data"), absent=frozenset({"/tree/data"}))
    (mount,) = isolated.config["services"]["db"]["volumes"]
    assert (mount["type"], mount["target"], mount["volume"]) == ("volume", "/t", {"nocopy": True})
    assert set(isolated.config["volumes"]) == {mount["source"]}
    assert isolated.outliving == ()


def test_a_data_folder_that_exists_is_known_to_outlive_a_block() -> None:
    """What a block writes there is told where the next one is seeded with other data."""
    assert _isolated(_mounting("/tree/data")).outliving == ("data in the tree",)


def test_a_data_folder_that_git_does_not_have_is_told() -> None:
    """The working tree's has been written to before, and the base's is another one."""
    (warning,) = _isolated(_mounting("/tree/data"), untracked=frozenset({"/tree/data"})).warnings
    assert "service 'db' writes to data in the tree" in warning


@pytest.mark.parametrize(
    ("config", "untracked"),
    [
        (_mounting("/tree/data"), frozenset({"/tree/data"})),
        (_mounting("/srv/data"), frozenset()),
        (
            _with(
                {"db": {"image": "b", "volumes": [{"type": "volume", "source": "data", "target": "/d"}]}},
                volumes={"data": {"name": "store", "external": True}},
            ),
            frozenset(),
        ),
    ],
)
def test_one_copy_alone_may_keep_its_data_and_is_told(config: dict[str, Any], untracked: frozenset[str]) -> None:
    """Its blocks come one after the other, and find what the one before has written."""
    isolated = _isolated(config, untracked=untracked, side_by_side=False)
    (warning,) = isolated.warnings
    assert warning.startswith("service 'db' writes to ")
    assert warning.endswith("the next one finds")
    assert isolated.problems == ()


def test_a_port_of_the_machine_that_is_not_published_any_more_is_named() -> None:
    """A service that goes by way of the machine would find nothing, or somebody else's service."""
    db = {"image": "b", "ports": [{"target": 5432, "published": "15432"}]}
    job = {"image": "c", "environment": {"DB": "host.docker.internal:15432", "OTHER": "host.docker.internal:9"}}
    (problem,) = _isolated(_with({"db": db, "job": job}), side_by_side=False).problems
    assert "service 'job' reaches port 15432" in problem


def test_built_images_carry_the_side() -> None:
    """An image that is built here gets a name of this copy, for every service that uses it; other tags are not set."""
    config = {
        "services": {
            "web": {"build": {"tags": ["app:2"]}, "image": "app"},
            "worker": {"image": "app"},
            "jobs": {"build": {}},
        }
    }
    services = _isolated(config).config["services"]
    assert services["web"]["image"] == services["worker"]["image"] == "perfci-base-1-web"
    assert services["jobs"]["image"] == "perfci-base-1-jobs"
    assert "build" not in services["worker"]
    assert services["web"]["build"] == {}


@pytest.mark.parametrize(
    ("build", "dockerfile", "changed"),
    [
        ({}, "FROM lib AS a\nRUN $x\n", {"dockerfile_inline": "FROM perfci-base-1-lib AS a\nRUN $$x\n"}),
        ({}, "from --platform=x lib:latest\n", {"dockerfile_inline": "from --platform=x perfci-base-1-lib\n"}),
        ({}, "FROM o\nCOPY --from=lib /a /b\n", {"dockerfile_inline": "FROM o\nCOPY --from=perfci-base-1-lib /a /b\n"}),
        ({}, "ARG B=lib\nFROM $B\n", {"dockerfile_inline": "ARG B=perfci-base-1-lib\nFROM $$B\n"}),
        ({"args": {"B": "lib"}}, "FROM $B\n", {"args": {"B": "perfci-base-1-lib"}}),
        (
            {"additional_contexts": {"b": "docker-image://lib", "s": "service:lib", "d": "/x"}},
            "FROM b\n",
            {"additional_contexts": {"b": "docker-image://perfci-base-1-lib", "s": "service:lib", "d": "/x"}},
        ),
        (
            {},
            "FROM o\nRUN --mount=type=bind,from=lib,target=/a --mount=from=other cp /a /b\n",
            {
                "dockerfile_inline": "FROM o\nRUN --mount=type=bind,from=perfci-base-1-lib,target=/a"
                " --mount=from=other cp /a /b\n"
            },
        ),
        (
            {"additional_contexts": {"lib": "/x"}},
            "FROM lib\nCOPY --from=lib /a /b\n",
            {"additional_contexts": {"lib": "/x"}},
        ),
        ({"ssh": ["default"], "network": "host"}, "FROM o AS lib\nFROM lib\n", {"ssh": ["default"], "network": "host"}),
    ],
)
def test_images_built_from_one_another(build: dict[str, Any], dockerfile: str, changed: dict[str, Any]) -> None:
    """Where a build names an image that the project builds, it is the one of this copy; stages and contexts stay."""
    config = {"services": {"web": {"build": build}, "lib": {"build": {}, "image": "lib"}}}
    assert _isolated(config, dockerfiles={"web": dockerfile}).config["services"]["web"]["build"] == changed


def test_images_that_were_built_before_keep_their_names() -> None:
    """With build = false nothing is built, and nothing renamed."""
    services = _isolated({"services": {"web": {"build": {}, "image": "app"}}}, build=False).config["services"]
    assert services["web"]["image"] == "app"
    assert "build" not in services["web"]


def test_images_that_were_built_before_need_names() -> None:
    """With build = false an image without a name cannot be found."""
    with pytest.raises(TargetError, match="no image name to be found by: web"):
        _isolated({"services": {"web": {"build": {}}}}, build=False)


def test_unknown_service_lists_the_known() -> None:
    """The message has the choices."""
    with pytest.raises(TargetError, match="no service 'api'; it has db, web"):
        _isolated({"services": {"web": {"image": "a"}, "db": {"image": "b"}}}, service="api")


def test_one_side_alone_may_use_the_network_of_the_machine() -> None:
    """It is told by name: what else listens there answers in the place of the service."""
    alone = _isolated(_with({"db": {"image": "b", "network_mode": "host"}}), side_by_side=False)
    assert alone.problems == ()
    assert alone.warnings == ("service 'db' has network_mode 'host': its ports are those of the machine",)
    assert alone.config["services"]["db"]["network_mode"] == "host"


def test_an_image_is_built_after_what_it_takes_from_another_service() -> None:
    """By its name or by the service's, as an additional context."""
    services = {
        "base": {"image": "x-base", "build": {"context": "/b"}},
        "web": {"image": "x-web", "build": {"context": "/w", "additional_contexts": {"lib": "service:base"}}},
        "job": {"image": "x-job", "build": {"context": "/j", "additional_contexts": {"lib": "docker-image://x-web"}}},
        "other": {"image": "x-other", "build": {"context": "/o", "additional_contexts": {"lib": "service:base-x"}}},
    }
    assert images.bases(services) == {"base": set(), "web": {"base"}, "job": {"web"}, "other": set()}


@pytest.mark.parametrize("several", [{"deploy": {"replicas": 2}}, {"scale": 2}])
@pytest.mark.parametrize("side_by_side", [True, False])
def test_replicas_that_get_no_load_are_told(several: dict[str, Any], *, side_by_side: bool) -> None:
    """One port is published, that of one container. Other services may have as many as they want."""
    config = {"services": {"web": {"image": "a", **several}, "worker": {"image": "b", "deploy": {"replicas": 3}}}}
    assert _isolated(config, side_by_side=side_by_side).warnings == (
        "service 'web' has 2 replicas: all load goes to one of them",
    )


def test_a_service_without_replicas_is_refused() -> None:
    """Compose would start the project without it, and nothing would answer."""
    with pytest.raises(TargetError, match="'web': it has 0 replicas"):
        _isolated({"services": {"web": {"image": "a", "deploy": {"replicas": 0}}}})
