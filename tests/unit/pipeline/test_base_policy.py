"""The base decides about a change: every key of the configuration, those included that do not exist yet."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from perfci.config import Config, from_bytes
from perfci.model import Weight
from perfci.pipeline.base_policy import SIDE_KEYS, differences, governed

BASE = b"""
[target]
kind = "command"
command = ["serve"]

[profiles.tickets]
locustfile = "tickets.py"
[profiles.tickets.scenarios.smoke]
users = 10
"""

OTHER: Mapping[str, object] = {
    "version": 1,  # there is no other yet
    "target": {"kind": "command", "command": ["other"]},
    "endpoints": [{"match": "GET /*", "name": "GET"}],
    "seed": {"kind": "command", "command": ["fill"]},
    "environments": {"compose": {"target": {"kind": "compose"}}},
    "census": {"enabled": "off"},
    "monitor": {"enabled": "off"},
    "gate": {"alpha": 0.2},
    "against": "baseline",
    "fail_on": "never",
    "on_missing_base": "baseline",
    "load": "base",
    "baselines": "elsewhere",
    "rng_seed": 7,
    "keep_runs": 5,
    "secrets": {"load": ["API_KEY"]},
    "pass_env": ["NPM_*"],
    "block_env": ["DEPLOY_*"],
    "profiles": {"tickets": {"locustfile": "tickets.py", "scenarios": {"smoke": {"users": 1}}}},
}
"""Another value for each top-level key."""


def _config(changes: Mapping[str, object] | None = None) -> Config:
    base = from_bytes(BASE, where="perfci.toml").model_dump(exclude_unset=True)
    return Config.model_validate({**base, **(changes or {})})


def test_every_key_has_another_value_here() -> None:
    """A new key of the configuration is first given its place in this file."""
    assert set(OTHER) == set(Config.model_fields)
    assert set(Config.model_fields) >= SIDE_KEYS


@pytest.mark.parametrize("key", sorted(set(OTHER) - SIDE_KEYS))
def test_what_the_change_edits_is_shown_and_not_obeyed(key: str) -> None:
    """The base's value is used, and the key is named before any number."""
    base, own = _config(), _config({key: OTHER[key]})
    governing, findings = governed(own, base, "tickets:smoke")
    assert getattr(governing, key) == getattr(base, key)
    (finding,) = findings
    assert (finding.code, finding.weight) == ("policy-changed", Weight.NOTICE)
    assert f"edits {key}" in finding.message


@pytest.mark.parametrize("key", sorted(SIDE_KEYS))
def test_each_side_brings_its_own_target_and_data(key: str) -> None:
    """Else no change could edit how the service is started; other data is told, since it changes what is measured."""
    base, own = _config(), _config({key: OTHER[key]})
    governing, findings = governed(own, base, "tickets:smoke")
    assert getattr(governing, key) == getattr(own, key)
    assert [finding.code for finding in findings] == (["seed-changed"] if key == "seed" else [])


def test_the_locust_file_is_the_heads_unless_the_base_says_otherwise() -> None:
    """A file that the change moves is found where it is now."""
    moved = {"tickets": {"locustfile": "load/tickets.py", "scenarios": {"smoke": {"users": 10}}}}
    own = _config({"profiles": moved})
    assert governed(own, _config(), "tickets")[0].profiles["tickets"].locustfile == ("load/tickets.py",)
    base = _config({"load": "base"})
    assert governed(own, base, "tickets")[0].profiles["tickets"].locustfile == ("tickets.py",)


@pytest.mark.parametrize("name", ["checkout", "checkout:smoke", "tickets:soak"])
def test_a_scenario_that_only_the_change_has_is_its_own(name: str) -> None:
    """There is nothing on the base to be driven by; all else of the policy stays the base's."""
    scenarios = {"smoke": {"users": 3}, "soak": {"users": 5}}
    profiles = {
        "tickets": {"locustfile": "tickets.py", "scenarios": scenarios},
        "checkout": {"locustfile": "checkout.py", "scenarios": scenarios},
    }
    own = _config({"profiles": profiles, "gate": OTHER["gate"]})
    governing, findings = governed(own, _config(), name)
    assert [finding.code for finding in findings] == ["policy-changed", "profile-new"]
    assert governing.find(name)[3].users == own.find(name)[3].users
    assert governing.gate == _config().gate
    assert governing.find("tickets:smoke")[3].users == 10


def test_a_name_that_nobody_has_stays_unknown() -> None:
    """It is a mistake of the user, and found as ever."""
    _, findings = governed(_config(), _config(), "tickets:none")
    assert findings == ()


def _keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, described in model.model_fields.items():
        inner = described.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _keys(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_differences_are_named_to_the_last_key() -> None:
    """A reader sees which number changed, not that some table did."""
    own = _config({"gate": {"alpha": 0.2, "min_requests": 3}, "census": {"requests": 5}, "rng_seed": 2})
    found = differences(_config(), own)
    assert found == ["census.requests", "gate.alpha", "gate.min_requests", "rng_seed"]
    assert set(found) <= set(_keys(Config))


def test_many_changed_keys_are_counted() -> None:
    """A notice stays a sentence."""
    changes: dict[str, Any] = {key: value for key, value in OTHER.items() if key not in SIDE_KEYS}
    _, (finding,) = governed(_config(changes), _config(), "tickets:smoke")
    assert "and 7 more keys" in finding.message
