"""
A `docker` that knows containers with the clients of databases in them, as far as counters are asked for.

    docker exec -i [-e NAME] CONTAINER sh -c SCRIPT | docker top CONTAINER ... | docker events ...

And as far as a compose project is read, and images are removed, where the state has a `project` and `images`.

    docker compose ... config ... | docker network inspect ... NAME | docker image ls|rm|inspect ... | docker pull NAME

A registry has what is in `registry` of the state.

What it tells lies in the file that FAKE_DOCKER names; a test changes that file while a session is open.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def install(folder: Path, state: Mapping[str, Any]) -> dict[str, str]:
    """A PATH on which this is `docker`, and the file that it reads; the environment to use."""
    program = folder / "docker"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n')
    program.chmod(0o755)
    tell(folder, state)
    return {"PATH": f"{folder}:{os.environ['PATH']}", "FAKE_DOCKER": str(folder / "state.json")}


def tell(folder: Path, state: Mapping[str, Any]) -> None:
    """What it says from now on, whole at every moment."""
    new = folder / "state.new"
    new.write_text(json.dumps(state))
    new.replace(folder / "state.json")


def state_in(folder: Path) -> dict[str, Any]:
    """What it was told last."""
    state: dict[str, Any] = json.loads((folder / "state.json").read_text())
    return state


def _state() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(os.environ["FAKE_DOCKER"]).read_text())
    return loaded


def _say(*lines: str) -> None:
    for line in lines:
        print(line)
    sys.stdout.flush()


def _psql(question: str) -> None:
    state = _state()["psql"]
    if question.startswith("\\echo "):
        _say(question.removeprefix("\\echo "))
    elif "pg_stat_activity" in question:
        _say(*state.get("activity", []))
    elif "pg_stat_statements.max" in question:
        _say(state.get("loaded", "t"))
    elif "quote_ident" in question:
        _say(*state.get("schema", ["perfci"]))
    elif "CREATE EXTENSION" in question:
        _say(*state.get("refusal", []))
    elif "(false)" in question:
        _say(*(f"{row[0]} {row[2]} {row[3]} {row[4]}" for row in state["rows"]), *state.get("garbage", []))
    elif "(true)" in question:
        _say(*(json.dumps([row[0], row[1]]) for row in state["rows"] if row[0] in question))


def _mysql(question: str) -> None:
    state = _state()["mysql"]
    if "by_thread" in question:
        _say(*("\t".join(map(str, row)) for row in state.get("sessions", [])))
    elif question.startswith("SELECT '"):
        _say(question.split("'")[1])
    elif "@@performance_schema" in question:
        _say(state.get("loaded", "1"))
    elif "UPDATE" in question:
        _say(*state.get("refusal", []))
    elif "events_statements_summary_by_digest" in question and "SUM" in question:
        _say(*("\t".join(str(cell) for cell in row) for row in state["rows"]), *state.get("garbage", []))


def _redis(question: str) -> None:
    state = _state()["redis"]
    if question.startswith("ECHO "):
        _say(question.removeprefix("ECHO "))
    elif question.startswith("INFO "):
        _say(*state[question.removeprefix("INFO ")])


def _shell(question: str) -> None:
    if question.startswith("echo "):
        _say(question.removeprefix("echo "))
    else:
        _say(*_state()["shell"])


CLIENTS = {"psql": (_psql, ";"), "mysql": (_mysql, ";"), "redis-cli": (_redis, ""), "exec sh": (_shell, "")}


def _exec(script: str) -> None:
    answer, end = next(client for name, client in CLIENTS.items() if name in script)
    question = ""
    for line in sys.stdin:
        question += line
        if not question.strip() or (question.rstrip().endswith(end) or question.startswith("\\")):
            state = _state()
            if state.get("dies"):
                _say(*state["dies"])
                return
            time.sleep(state.get("sleeps", 0))
            answer(question.strip())
            question = ""


def _events() -> None:
    shown = 0
    while os.getppid() != 1:
        events = _state()["events"]
        _say(*(json.dumps(event) for event in events[shown:]))
        shown = len(events)
        time.sleep(0.01)


def _compose(arguments: list[str]) -> None:
    """The project as the state has it, without the services whose profile is not named."""
    state = _state()
    if arguments[1:] in (["version"], ["up", "--help"]):
        _say("--wait-timeout")
        return
    state.setdefault("asked", []).append(
        [arguments, {k: os.environ[k] for k in ("PWD", "COMPOSE_FILE") if k in os.environ}]
    )
    tell(Path(os.environ["FAKE_DOCKER"]).parent, state)
    named = {value for key, value in itertools.pairwise(arguments) if key == "--profile"}
    services = {
        name: service
        for name, service in state["project"]["services"].items()
        if not service.get("profiles") or "*" in named or named & set(service["profiles"])
    }
    _say(json.dumps({**state["project"], "services": services}))


def _images(arguments: list[str]) -> None:
    state = _state()
    if arguments[0] == "ls":
        prefix = (
            next(word for word in arguments if word.startswith("reference=")).removeprefix("reference=").rstrip("*")
        )
        _say(*(name for name in state["images"] if name.startswith(prefix)))
    elif arguments[0] == "rm" and not state.get("in_use"):
        state["images"] = [name for name in state["images"] if name not in arguments]
        tell(Path(os.environ["FAKE_DOCKER"]).parent, state)
    elif arguments[0] == "inspect" and arguments[-1] not in state["images"]:
        sys.exit(f"Error: No such image: {arguments[-1]}")


def _pull(image: str) -> None:
    state = _state()
    if image not in state.get("registry", []):
        sys.exit(f"Error response from daemon: manifest for {image} not found: manifest unknown")
    state["images"].append(image)
    tell(Path(os.environ["FAKE_DOCKER"]).parent, state)


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    if arguments[0] == "exec":
        _exec(arguments[-1])
    elif arguments[0] == "top":
        _say("PID COMMAND", f"1 {_state()['programs'].get(arguments[1], 'sh')}")
    elif arguments[0] == "events":
        _events()
    elif arguments[0] == "compose":
        _compose(arguments)
    elif arguments[0] == "network":
        _say(_state().get("networks", {}).get(arguments[-1], ""))
    elif arguments[0] == "image":
        _images(arguments[1:])
    elif arguments[0] == "pull":
        _pull(arguments[-1])
    elif arguments[0] == "version":
        _say("29.0")


if __name__ == "__main__":
    main(sys.argv[1:])
