"""What is installed is looked through once while Locust starts."""

import runpy
from importlib import metadata

import pytest

from perfci.rig.load.generator import INSIDE


def test_the_plug_ins_of_a_group_are_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """gevent asks for the same few groups again for each module that it patches."""
    looked_up: list[str] = []

    def entry_points(*, group: str) -> metadata.EntryPoints:
        looked_up.append(group)
        return metadata.EntryPoints()

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    runpy.run_path(str(INSIDE / "perfci_plugins.py"))
    for group in ("before", "after", "before"):
        assert list(metadata.entry_points(group=group)) == []
    assert looked_up == ["before", "after"]
