"""Finds the fixed address ranges of a compose project's networks, and services that use their addresses by number."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEYS = frozenset({"ipv4_address", "ipv6_address", "link_local_ips"})
"""The keys that fix the address of a service in a network."""

_PARTS = ("environment", "command", "entrypoint", "extra_hosts", "healthcheck", "dns", "labels", "build")
_IPV4 = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}(?![\w:])")


@dataclass(frozen=True, slots=True)
class Fixed:
    """A network with fixed ranges."""

    network: str
    ranges: tuple[str, ...]
    mentioned: tuple[tuple[str, str], ...]  # where an address of these ranges stands, and which


def fixed(config: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Fixed]:
    """The networks of the project that have fixed ranges; *texts* holds mounted files by the name for messages."""
    found = {}
    places = [*_places(config), *texts.items()]
    for name, network in (config.get("networks") or {}).items():
        pools = ((network or {}).get("ipam") or {}).get("config") or []
        ranges = [str(pool["subnet"]) for pool in pools if pool.get("subnet")]
        if ranges and not network.get("external"):
            mentioned = [(place, address) for place, text in places for address in _within(text, ranges)]
            found[name] = Fixed(name, tuple(ranges), tuple(mentioned))
    return found


def problems(networks: Mapping[str, Fixed]) -> Iterator[str]:
    """One sentence for each network whose fixed range a service or file refers to."""
    for each in networks.values():
        if each.mentioned:
            place, address = each.mentioned[0]
            ranges = ", ".join(each.ranges)
            yield (
                f"network {each.network!r} has the fixed subnet {ranges}, and {place} mentions {address}: name the"
                " service instead, and take subnet and addresses out"
            )


def _places(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, service in (config.get("services") or {}).items():
        for part in _PARTS:
            if service.get(part):
                yield f"{part} of service {name!r}", json.dumps(service[part])
    for name, content in (config.get("configs") or {}).items():
        if (content or {}).get("content"):
            yield f"config {name!r}", str(content["content"])


def _within(text: str, ranges: list[str]) -> Iterator[str]:
    networks = [ipaddress.ip_network(subnet, strict=False) for subnet in ranges]
    for found in dict.fromkeys([*_IPV4.findall(text), *_IPV6.findall(text)]):
        try:
            address = ipaddress.ip_address(found)
        except ValueError:
            continue
        if any(address in network for network in networks):
            yield found
