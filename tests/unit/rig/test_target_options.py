"""What a target table may say, and what every kind of target has to offer."""

import inspect

import pytest

from perfci.errors import ConfigError
from perfci.rig import target
from perfci.rig.host import hosts
from perfci.rig.target.running import Target


def test_unknown_kind_lists_the_known() -> None:
    """The message names the value and the choices."""
    with pytest.raises(ConfigError, match=r"unknown kind \(got 'vm'\); known: command, compose, external"):
        target.parse({"kind": "vm"}, where="[target]")


@pytest.mark.parametrize("kind", target.TARGETS)
def test_every_kind_keeps_the_contract(kind: str) -> None:
    """A kind's options carry its name, and its functions take what the door gives them."""
    module = target.TARGETS[kind]
    assert module.Options.model_fields["kind"].default == kind
    assert module.Options.model_config["extra"] == "forbid"
    for name in ("prepare", "start"):
        wanted = list(inspect.signature(getattr(Target, name)).parameters)[1:]
        assert list(inspect.signature(getattr(module, name)).parameters) == wanted


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "command"}, "command: is required"),
        ({"kind": "command", "command": []}, "command: "),
        ({"kind": "command", "command": ["x"], "url": "http://example.com:{port}"}, "must be on this machine"),
        ({"kind": "command", "command": ["x"]}, "say nothing of the port that perfci chooses"),
        ({"kind": "command", "command": ["x", "{port}"], "build": ["make", "{port}"]}, "knows no {port}"),
        ({"kind": "command", "command": ["x", "{port}"], "build": ["make", "{dir}"]}, "knows no {dir}"),
        ({"kind": "command", "command": ["x"], "ready": {"path": "health"}}, "ready.path"),
        ({"kind": "command", "command": ["x"], "ready": {"timeout_s": 0}}, "ready.timeout_s"),
        (
            {"kind": "command", "command": ["x"], "ready": {"tcp": True, "path": "/"}},
            "tcp asks nothing: leave out path",
        ),
        ({"kind": "compose", "service": "api"}, "port: is required"),
        ({"kind": "compose", "service": "api", "port": 99999}, "port: "),
        ({"kind": "compose", "service": "api", "port": 80, "fiel": "x"}, "fiel: unknown key"),
        ({"kind": "external", "url": "http://shop.example"}, "shop.example is not this machine; list it"),
        ({"kind": "external", "url": "ftp://127.0.0.1"}, "must be an http"),
        ({"kind": "external", "url": "http://127.0.0.1@evil.example"}, "must not hold a user"),
        ({"kind": "external", "url": "http://127.0.0.1.evil.example"}, "is not this machine"),
    ],
)
def test_bad_tables_name_the_key(table: dict[str, object], message: str) -> None:
    """Every mistake is found before anything is started."""
    with pytest.raises(ConfigError, match=message):
        target.parse(table, where="[target]")


def test_a_host_that_is_listed_may_be_loaded() -> None:
    """Another host needs to be allowed by its name."""
    table = {"kind": "external", "url": "https://Perf.example/app", "allow_hosts": ["perf.EXAMPLE"]}
    assert isinstance(target.parse(table, where="[target]"), target.external.Options)


@pytest.mark.parametrize("name", ["2001:db8::1", "[2001:DB8::1]", "2001:0db8:0:0:0:0:0:1"])
def test_an_address_of_ipv6_may_be_written_in_each_of_its_forms(name: str) -> None:
    """With brackets as in the URL, or without, long or short."""
    table = {"kind": "external", "url": "http://[2001:db8::1]:8000", "allow_hosts": [name]}
    assert isinstance(target.parse(table, where="[target]"), target.external.Options)
    with pytest.raises(ConfigError, match="2001:db8::2 is not this machine"):
        target.parse({**table, "url": "http://[2001:db8::2]"}, where="[target]")


@pytest.mark.parametrize("url", ["http://127.0.0.1:80", "http://localhost", "http://[::1]:8000/x", "http://127.9.9.9"])
def test_loopback(url: str) -> None:
    """What can only mean this machine."""
    assert hosts.is_loopback(url)


@pytest.mark.parametrize("url", ["http://0.0.0.0", "http://10.0.0.1", "http://localhost.example", "http://2130706433"])
def test_not_loopback(url: str) -> None:
    """What may mean another machine."""
    assert not hosts.is_loopback(url)
