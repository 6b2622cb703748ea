"""What perfci adds to a stock database so that it counts, and what it leaves alone."""

import json
from typing import Any

import pytest

from perfci.rig.host import docker, process
from perfci.rig.target import counting

POSTGRES = {"Id": "sha256:p", "Config": {"Cmd": ["postgres"], "Env": ["PGDATA=/data"]}}
MARIADB = {"Id": "sha256:m", "Config": {"Cmd": ["mariadbd"], "Env": ["MARIADB_VERSION=11"]}}
MYSQL = {"Id": "sha256:y", "Config": {"Cmd": ["mysqld"], "Env": ["MYSQL_VERSION=8"]}}
OTHER = {"Id": "sha256:o", "Config": {"Cmd": ["serve"], "Env": None}}
ADDED = "perfci preloads pg_stat_statements"


@pytest.fixture(autouse=True)
def images(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engine has; `found` is what a look into an image shows."""
    known: dict[str, Any] = {"postgres:16": POSTGRES, "mariadb:11": MARIADB, "mysql:8": MYSQL, "web": OTHER}
    known["found"] = "there\n"

    def run(*arguments: str, environ: object) -> process.Completed:
        if arguments[0] == "run":
            return process.Completed(code=0, out=known["found"], err="")
        found = [known[name] for name in arguments[2:] if name in known]
        return process.Completed(code=0 if len(found) == len(arguments) - 2 else 1, out=json.dumps(found), err="")

    monkeypatch.setattr(docker, "run", run)
    counting._contents.cache_clear()
    return known


def _amended(**service: object) -> tuple[dict[str, Any], str]:
    services = {"db": dict(service)}
    notes = counting.amend(services, environ={})
    return services["db"], notes.get("db", "")


@pytest.mark.parametrize("other", ["web", "not pulled yet"])
def test_each_service_has_its_own_image(other: str) -> None:
    """All images are asked for at once; one that is not there yet says nothing about the others."""
    services: dict[str, dict[str, Any]] = {"web": {"image": other}, "db": {"image": "postgres:16"}}
    assert counting.amend(services, environ={}) == {"db": ADDED}
    assert services["web"] == {"image": other}


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        (None, ["postgres", "-c", "shared_preload_libraries=pg_stat_statements"]),
        (["-c", "fsync=off"], ["-c", "fsync=off", "-c", "shared_preload_libraries=pg_stat_statements"]),
        (["postgres", "-cshared_preload_libraries=a"], ["postgres", "-cshared_preload_libraries=a,pg_stat_statements"]),
        (
            ["postgres", "-c", "shared_preload_libraries=a, b", "-c", "x=1"],
            ["postgres", "-c", "shared_preload_libraries=a, b,pg_stat_statements", "-c", "x=1"],
        ),
        (["postgres", "--shared-preload-libraries="], ["postgres", "--shared-preload-libraries=pg_stat_statements"]),
    ],
)
def test_postgresql_preloads_what_it_did_and_the_library(command: list[str] | None, becomes: list[str]) -> None:
    """The user's own command stays."""
    service, note = _amended(image="postgres:16", command=command)
    assert (service["command"], note) == (becomes, ADDED)


def test_what_the_image_preloads_stays(images: dict[str, Any]) -> None:
    """A setting on the command line would otherwise replace that of the image."""
    images["found"] = "there\nshared_preload_libraries = 'timescaledb'\t# (change requires restart)\n"
    assert _amended(image="postgres:16")[0]["command"][-1] == "shared_preload_libraries=timescaledb,pg_stat_statements"


@pytest.mark.parametrize(
    ("service", "why"),
    [
        ({"command": ["postgres", "-c", "config_file=/etc/p.conf"]}, "a configuration file of its own"),
        ({"volumes": [{"type": "bind", "target": "/etc/postgresql.conf"}]}, "a configuration file of its own"),
        ({"configs": [{"source": "c", "target": "/etc/postgresql.conf"}]}, "a configuration file of its own"),
        ({"command": ["sh", "-c", "exec postgres"]}, "has a command"),
        ({"entrypoint": ["/mine"]}, "has a command"),
    ],
)
def test_what_perfci_cannot_see_through_is_left_alone(service: dict[str, Any], why: str) -> None:
    """And said."""
    after, note = _amended(image="postgres:16", **service)
    assert after == {"image": "postgres:16", **service}
    assert why in note


def test_an_image_without_the_library_is_left_alone(images: dict[str, Any]) -> None:
    """It would not start."""
    images["found"] = ""
    after, note = _amended(image="postgres:16")
    assert after == {"image": "postgres:16"}
    assert "the image does not hold it" in note


@pytest.mark.parametrize(
    "service",
    [
        {"image": "postgres:16", "command": ["postgres", "-c", "shared_preload_libraries=pg_stat_statements"]},
        {"image": "web", "command": ["postgres"]},
        {"image": "not here yet"},
        {"image": "mysql:8"},
        {"image": "mariadb:11", "command": ["--performance-schema=OFF"]},
    ],
)
def test_what_needs_nothing_gets_nothing(service: dict[str, Any]) -> None:
    """What counts already, what is no database, what was decided otherwise."""
    assert _amended(**service) == (service, "")


def test_mariadb_gets_its_switch() -> None:
    """It counts nothing in its stock configuration."""
    service, note = _amended(image="mariadb:11")
    assert service["command"] == ["mariadbd", "--performance-schema=ON"]
    assert note == "perfci turned the performance schema on"
    assert "did not" in _amended(image="mariadb:11", entrypoint=["/mine"])[1]
