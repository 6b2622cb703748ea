"""Reads a compose file: which service to measure, its port within the container, and its health check."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from perfci.starter.files import Files, folder_of, joined
from perfci.starter.guesses import Guess, Start

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
STORES = re.compile(
    r"postgres|mysql|mariadb|redis|valkey|memcached|mongo|rabbitmq|kafka|zookeeper|elasticsearch|opensearch|minio|"
    r"mailhog|mailpit|adminer|pgadmin|jaeger|prometheus|grafana|selenium|traefik"
)
SERVING = re.compile(r"^(web|app|api|backend|server|service)$|api|web|backend|server|app")
OTHER_PORTS = frozenset({5432, 3306, 6379, 27017, 5672, 9200, 9229, 5858, 5678, 9092, 22, 25, 1025})
"""Ports of databases, brokers and debuggers."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's C parser where available: the Python parser takes seconds for deep nesting."""

_VARIABLE = re.compile(r"\$\{?(\w+)(?::?-([^}]*))?\}?")
_ADDRESS = re.compile(r"https?://[^/\s\"']+(/[^\s\"'|;,\])]*)?")


def starts(files: Files) -> list[Start]:
    """The compose project at the root of the repository, if one of its services can be measured."""
    name = files.first(*NAMES)
    services = _services(files.text(name)) if name else {}
    ranked = sorted(
        (each for each in services if _ports(services[each])), key=lambda each: _rank(each, services), reverse=True
    )
    if not ranked or _rank(ranked[0], services) < 0:
        return []
    service = ranked[0]
    found = services[service]
    ports = _ports(found)
    port = next((port for port in ports if port not in OTHER_PORTS), ports[0])
    health = _health(found) or dockerfile_health(files.text(_dockerfile(found, files)))
    table: dict[str, object] = {"kind": "compose", "file": name, "service": service, "port": port}
    others = ", ".join(each for each in ranked if each != service)
    return [
        Start(
            kind="compose",
            table=table,
            guesses=(
                Guess("target", f"the compose project {name}", "it starts the service with all that it needs"),
                Guess(
                    "service",
                    service,
                    _why(service, services) + (f"; the others with ports: {others}" if others else ""),
                ),
                Guess("port", str(port), f"the port of {service} within its container, in {name}"),
            ),
            health=health,
            todo=tuple(_todo(found, service, files)),
        )
    ]


def _services(text: str) -> dict[str, dict[str, Any]]:
    """The services that start by default; none where the file cannot be read."""
    try:
        document = yaml.load(text, Loader=LOADER)  # noqa: S506  # a safe one
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    services = document.get("services") if isinstance(document, dict) else None
    return {
        str(name): service
        for name, service in (services if isinstance(services, dict) else {}).items()
        if isinstance(service, dict) and not service.get("profiles")
    }


def _rank(name: str, services: Mapping[str, Mapping[str, Any]]) -> int:
    """How likely *name* is the service under test; negative where it cannot be."""
    service = services[name]
    if STORES.search(str(service.get("image", ""))) or (not service.get("build") and STORES.search(name)):
        return -1
    needed = sum(name in _needs(other) for other in services.values())
    return 4 * bool(service.get("build")) + 2 * bool(SERVING.search(name)) + bool(service.get("ports")) + min(needed, 1)


def _why(name: str, services: Mapping[str, Mapping[str, Any]]) -> str:
    service = services[name]
    reasons = ["it is built from this repository" if service.get("build") else "it is no database"]
    reasons.append("it publishes a port" if service.get("ports") else "it exposes a port")
    return " and ".join(reasons)


def _needs(service: Mapping[str, Any]) -> list[str]:
    needs = service.get("depends_on") or []
    return [str(each) for each in needs]


def _ports(service: Mapping[str, Any]) -> list[int]:
    """The ports within the container, published ones first."""
    found = []
    for entry in [*_list(service.get("ports")), *_list(service.get("expose"))]:
        if isinstance(entry, dict):
            text = str(entry.get("target", ""))
        else:
            filled = _VARIABLE.sub(lambda each: each[2] or "", str(entry))
            text = filled.split("/")[0].rpartition(":")[2]
        if text.isdigit() and 0 < int(text) < 65_536:
            found.append(int(text))
    return found


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _health(service: Mapping[str, Any]) -> str:
    """The path that a service's health check requests; empty where it uses no HTTP."""
    check = service.get("healthcheck")
    test = check.get("test", "") if isinstance(check, dict) else ""
    found = _ADDRESS.search(" ".join(map(str, test)) if isinstance(test, list) else str(test))
    return (found[1] or "/") if found else ""


def dockerfile_health(text: str) -> str:
    """The path of a HEALTHCHECK in a Dockerfile, or an empty string."""
    check = re.search(r"^HEALTHCHECK\s(?:[^\\\n]|\\\n|\\.)*", text, re.MULTILINE)
    found = _ADDRESS.search(check[0]) if check else None
    return (found[1] or "/") if found else ""


def _dockerfile(service: Mapping[str, Any], files: Files) -> str:
    build = service.get("build")
    context = str(build.get("context", ".")) if isinstance(build, dict) else str(build or "")
    name = str(build.get("dockerfile", "Dockerfile")) if isinstance(build, dict) else "Dockerfile"
    folder = context.strip("./")
    return files.first(joined(folder, name)) if build else ""


def _todo(service: Mapping[str, Any], name: str, files: Files) -> list[str]:
    """What a fresh checkout lacks to start: env files that are not in git."""
    given = service.get("env_file") or []
    wanted = [
        str(each.get("path", "")) if isinstance(each, dict) else str(each)
        for each in ([given] if isinstance(given, str) else given)
    ]
    missing = [each for each in wanted if each and not (files.root / each).is_file()]
    samples = [
        each
        for each in files.names
        if re.search(r"(^|/)\.?env[._-](example|sample|template)$", each) and not folder_of(each)
    ]
    hint = f", for example from {samples[0]}" if samples else ""
    return (
        [f"service {name} reads {', '.join(missing)}, which git does not have: make it in a step before perfci{hint}"]
        if missing
        else []
    )
