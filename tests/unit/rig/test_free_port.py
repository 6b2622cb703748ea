"""Ports for processes that listen later."""

import socket

import pytest

from perfci.rig.host import free_port as module
from perfci.rig.host.free_port import free_port


def test_a_free_port_is_none_that_the_system_gives_to_connections() -> None:
    """A connection of anybody could take such a port before the process that it was chosen for listens."""
    for _ in range(50):
        with socket.create_server(("127.0.0.1", port := free_port())):
            assert 20_000 <= port < 30_000


def test_a_port_that_is_taken_or_promised_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two ports, the one that nobody listens on and nobody was promised; where there is none, the error says why."""
    first = free_port()
    monkeypatch.setattr(module, "_RANGE", range(first, first + 2))
    with socket.create_server(("127.0.0.1", first)):
        assert {free_port() for _ in range(20)} == {first + 1}
        with pytest.raises(OSError, match="in use"):
            free_port(given={first + 1})
    with pytest.raises(OSError, match=f"no free port of {first} to {first + 1} at 127.0.0.1"):
        free_port(given={first, first + 1})
