"""Takes a census: a child process sends one request at a time, and the counters are read in between."""

import json
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from perfci.errors import LoadError
from perfci.model import ENOUGH, Answered, Census, CounterSource, LoadPlan, Side
from perfci.rig.census.answers import SERVER_TIMING, numbers
from perfci.rig.census.ledger import Answer, Ledger
from perfci.rig.census.source import Source
from perfci.rig.host.masking import Mask
from perfci.rig.load.generator import INSIDE, Generator, Place, generating
from perfci.rig.load.recording import notes
from perfci.rig.load.rounds import sides_spec
from perfci.rig.load.runtime import constant
from perfci.schema.unicode import json_text

SPARE_S = 45.0  # beyond the limit: the start of Locust, and the longest task that may be going on
COUNTED, LEFT_OUT = b"true\n", b"false\n"
ENDED_S = 10.0  # in which a driver that has said its last word ends
RESPONSE = CounterSource(name="response", kind="response", found=True)

Watch = Callable[[int, int], None]
"""Called with the number of endpoints that were counted often enough, and of all known ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A side of a census: its address, and the sources that count its work."""

    base_url: str
    sources: Sequence[Source] = ()
    reports: Sequence[CounterSource] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The limits of a census."""

    requests: int  # of each endpoint, beside the first
    limit_s: float
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The census of each side, and what went wrong while it was taken."""

    census: Mapping[Side, Census]
    incidents: tuple[str, ...] = ()
    answered: Mapping[Side, Mapping[str, Answered]] = field(default_factory=dict)  # by name, where an endpoint has many
    endpoints: Mapping[str, str] = field(default_factory=dict)  # of those names
    regrouped: Callable[[Mapping[str, str]], Mapping[Side, Census]] | None = None  # with other endpoints for some names


@dataclass(slots=True, kw_only=True)
class _Talk:
    """The messages of the driver."""

    stream: Any
    connection: socket.socket
    silent: tuple[str, ...] = ()
    ended: bool = False
    incidents: list[str] = field(default_factory=list)


def take(
    plan: LoadPlan, *, sides: Mapping[Side, Seen], place: Place, extent: Extent, rng_seed: int, watch: Watch
) -> Taken:
    """
    Count the work of each endpoint of *plan* on all *sides*, which are asked the same.

    A driver that cannot run is a LoadError. A source that dies, a driver that is cut off or requests that cannot be
    told apart are incidents: the rest stands.
    """
    place.folder.mkdir(parents=True, exist_ok=True)
    for old in place.folder.glob("*.log"):
        old.unlink()
    ledgers = {side: Ledger(seen.sources) for side, seen in sides.items()}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        spec = {**_spec(plan, sides, place, extent), "rng_seed": rng_seed, "socket": theirs.fileno()}
        file = place.folder / "spec.json"
        file.write_text(json.dumps(spec, indent=1))
        command = [place.runtime.interpreter, str(INSIDE / "perfci_census.py"), str(file)]
        # Sets of text would have another order in each process, and tasks that choose from them would choose others.
        extra = {**constant(plan.environment), "PYTHONHASHSEED": "0"}
        with generating(command, place, extra=extra, pass_fds=[theirs.fileno()]) as generator:
            theirs.close()
            ours.settimeout(extent.limit_s + SPARE_S)
            with ours.makefile("rb") as stream:
                talk = _Talk(stream=stream, connection=ours)
                _listen(talk, ledgers, extent, watch, place.mask)
            incidents = [*talk.incidents, *_ending(generator, talk), *_exceptions(generator), *notes(generator.logs())]
    incidents += [
        f"{side}: {ledger.overlapped} requests were in flight beside another one and could not be counted"
        for side, ledger in ledgers.items()
        if ledger.overlapped
    ]
    incidents += [
        f"{side}: the counters of {name} were lost: {why}"
        for side, ledger in ledgers.items()
        for name, why in ledger.lost().items()
    ]

    def regrouped(called: Mapping[str, str]) -> Mapping[Side, Census]:
        return {side: _census(ledger, sides[side].reports, talk.silent, called) for side, ledger in ledgers.items()}

    return Taken(
        census=regrouped({}),
        incidents=tuple(f"census: {text}" for text in incidents),
        answered={side: ledger.answered() for side, ledger in ledgers.items()},
        endpoints={name: endpoint for ledger in ledgers.values() for name, endpoint in ledger.endpoint_of().items()},
        regrouped=regrouped,
    )


def _spec(plan: LoadPlan, sides: Mapping[Side, Seen], place: Place, extent: Extent) -> dict[str, object]:
    base_urls = {side: seen.base_url for side, seen in sides.items()}
    return {
        **sides_spec(plan, place, base_urls=base_urls, limit_s=extent.limit_s + SPARE_S),
        "requests": extent.requests,
        "limit_s": extent.limit_s,
        "headers": [SERVER_TIMING, *extent.headers],
        "endpoints": [asdict(each) for each in plan.endpoints],
    }


def _listen(talk: _Talk, ledgers: Mapping[Side, Ledger], extent: Extent, watch: Watch, mask: Mask) -> None:
    """Handle the messages of the driver until it ends, or is silent for too long."""
    deadline = time.monotonic() + extent.limit_s + SPARE_S
    try:
        while time.monotonic() < deadline and (line := talk.stream.readline()):
            heard, word = json.loads(json_text(line)), COUNTED
            said = {**mask.inside(heard), "headers": heard.get("headers")}
            match heard["what"]:
                case "ready":
                    for ledger in ledgers.values():
                        ledger.begin()
                case "turn":
                    ledgers[Side(heard["side"])].begin(said["endpoints"])
                case "request":
                    if not ledgers[Side(heard["side"])].count(_answer(said), overlapped=said["overlapped"]):
                        word = LEFT_OUT
                    seen = [count for ledger in ledgers.values() for count in ledger.seen().values()]
                    watch(sum(count >= extent.requests for count in seen) // len(ledgers), len(seen) // len(ledgers))
                case "end":
                    talk.silent, talk.ended = tuple(said["silent"]), True
            talk.connection.sendall(word)
    except TimeoutError:
        talk.incidents.append(f"the driver said nothing for {extent.limit_s + SPARE_S:g} s")
    except ConnectionError:
        return  # it is dead: how it ended says more


def _answer(said: Mapping[str, Any]) -> Answer:
    counters = numbers(float(said["bytes"]), said["headers"])
    return Answer(
        endpoint=said["endpoint"], failed=said["failed"], counters=counters, name=said["name"], status=said["status"]
    )


def _ending(generator: Generator, talk: _Talk) -> list[str]:
    """Check how the driver ended; LoadError where it failed before anything was counted."""
    try:
        generator.child.process.wait(ENDED_S if talk.ended else 1.0)
        generator.ended()
    except subprocess.TimeoutExpired:
        if not talk.ended:
            return ["the driver was cut off; what was counted until then stands"]
    except LoadError as error:
        if not talk.ended:
            raise
        return [str(error)]
    return []


def _exceptions(generator: Generator) -> list[str]:
    """The exceptions that tasks raised outside of any request, with their counts."""
    raised: Counter[str] = Counter()
    for reader in generator.logs():
        raised.update(
            f"{reader.path.stem}: under load the Locust file would have ended the run here: {event['by']}"
            for event in reader.events
            if event["what"] == "ended"
        )
        raised.update(
            f"{reader.path.stem}: exception in {event['user']}: {event['message']}"
            for event in reader.events
            if event["what"] == "exception"
        )
    return [f"{text} ({count} times)" for text, count in raised.most_common(3)]


def _census(
    ledger: Ledger, reports: Sequence[CounterSource], silent: Sequence[str], called: Mapping[str, str]
) -> Census:
    unreached = [endpoint for endpoint, count in ledger.seen().items() if count < ENOUGH]
    return Census(
        endpoints=ledger.warm(called),
        cold=ledger.cold(),
        sources=(RESPONSE, *ledger.reports(reports)),
        unreached=(*sorted(unreached), *silent),
    )
