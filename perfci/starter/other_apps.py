"""Recognises services in Node, Go and Ruby on Rails, and those that a Procfile or a Dockerfile starts."""

import json
import re
from collections.abc import Iterator
from typing import Any

from perfci.starter.compose_file import dockerfile_health
from perfci.starter.files import Files, folder_of, joined
from perfci.starter.guesses import Guess, Start

SERVERS = ("express", "fastify", "koa", "@nestjs/core", "@hapi/hapi", "restify", "polka", "hono")
COMPOSE = "perfci.compose.yaml"
FIXED = (
    "the service listens at port {port} whatever the environment says, and two sides cannot share it:"
    " let it read PORT, and put {{port}} into env of [target]"
)


def node_starts(files: Files) -> Iterator[Start]:
    """The service that the nearest package.json to the root starts."""
    for name in files.matching(r"package\.json"):
        package = _package(files.text(name))
        server = next((each for each in SERVERS if each in (package.get("dependencies") or {})), "")
        if server:
            yield _node(files, folder_of(name), package, server)
            return


def _package(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _node(files: Files, folder: str, package: dict[str, Any], server: str) -> Start:
    scripts = package.get("scripts") or {}
    script = str(scripts.get("start", ""))
    install = _installer(files, folder)
    if scripts.get("build") and re.search(r"dist|build|nx ", script):
        install += " && npm run build"
    main = _main(files, folder, package)
    if re.match(r"node\s+[^&|;]*$", script):
        command, why = script.split(), "the script `start`"
    elif main and (not script or re.search(r"nodemon|pm2|--watch", script)):
        command, why = ["node", main], f"the main file, since `start` is {script!r}"
    else:
        command, why = ["npm", "start", "--silent"], f"the script `start`: {script}"
    command, missing = _without_env_file(files, folder, command)
    env = {"PORT": "{port}", "NODE_ENV": "production"}
    table, todo = _listening(files, r".*\.(js|ts|mjs|cjs)", r"\benv\.PORT\b|\.PORT\b|\bPORT\b", env, default=3000)
    build = ["sh", "-c", install] if not folder else ["env", "-C", folder, "sh", "-c", install]
    return Start(
        kind="command",
        table={
            "kind": "command",
            "build": build,
            "command": ["env", "-C", folder, *command] if folder else command,
            **table,
        },
        guesses=(
            Guess("service", server, f"{joined(folder, 'package.json')} depends on it"),
            Guess("command", " ".join(command), why),
            Guess("dependencies", install, "each side installs its own"),
        ),
        todo=(*todo, *missing),
    )


def _main(files: Files, folder: str, package: dict[str, Any]) -> str:
    """The file that node runs, relative to *folder*; empty where it is unknown."""
    names = [str(package.get("main", "")), "server.js", "index.js", "app.js", "src/index.js", "src/server.js"]
    return next((name for name in names if name and (files.root / joined(folder, name)).is_file()), "")


def _installer(files: Files, folder: str) -> str:
    for lock, command in (
        ("package-lock.json", "npm ci --include=dev --silent --no-audit --no-fund"),
        ("pnpm-lock.yaml", f"CI=true npx --yes {_manager(files, folder)} install --prod=false --frozen-lockfile"),
        ("yarn.lock", "npx --yes yarn install --production=false --frozen-lockfile --silent"),
    ):
        if (files.root / joined(folder, lock)).is_file():
            return command
    return "npm install --include=dev --silent --no-audit --no-fund"


def _manager(files: Files, folder: str) -> str:
    """
    pnpm in the version that the package names, else the last version that installs without asking about build scripts.
    """
    named = str(_package(files.text(joined(folder, "package.json"))).get("packageManager", "")).partition("+")[0]
    return named if re.fullmatch(r"pnpm@[\w.-]+", named) else "pnpm@10"


def _without_env_file(files: Files, folder: str, command: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """The *command* without an env file that is not in git, and a note about it."""
    kept = [word for word in command if not word.startswith("--env-file=") or _there(files, folder, word)]
    lost = [word.partition("=")[2] for word in command if word not in kept]
    return kept, tuple(f"{name} is not in git: what it sets belongs into env of [target]" for name in lost)


def _there(files: Files, folder: str, word: str) -> bool:
    return (files.root / joined(folder, word.partition("=")[2])).is_file()


def _listening(
    files: Files, sources: str, reads: str, env: dict[str, str], *, default: int
) -> tuple[dict[str, object], tuple[str, ...]]:
    """What decides where the service listens: the variable PORT, or a fixed address."""
    if any(files.containing(reads, sources)):
        return {"env": env}, ()
    found = next(files.containing(r"(?:listen|ListenAndServe|Run|Start)\w*\(\s*[\"'`]?:?(\d{2,5})", sources), None)
    port = int(found[1][1]) if found else default
    rest = {name: value for name, value in env.items() if name != "PORT"}
    table: dict[str, object] = {"url": f"http://127.0.0.1:{port}"}
    return table | ({"env": rest} if rest else {}), (FIXED.format(port=port),)


def go_starts(files: Files) -> Iterator[Start]:
    """Every main package of a Go module that listens on a port."""
    if not files.first("go.mod"):
        return
    mains = [name for name, _ in files.containing(r"^package main$", r".*\.go")]
    module = (re.search(r"^module\s+\S*?([\w.-]+)$", files.text("go.mod"), re.MULTILINE) or ["", ""])[1]
    folders = list(dict.fromkeys(folder_of(name) for name in mains))
    listening = [each for each in folders if _listens(files, each)] or [
        each for each in folders if each.rpartition("/")[2] in {module, "server", "api", "app", "web"}
    ]
    if not (folders and (listening or len(folders) == 1)):
        return
    folder = (listening or folders)[0]
    flag = re.search(
        r"\.(?:String|Int)\w*\(\s*(?:&\w+\s*,\s*)?\"(port|addr|listen|http-addr)\"", _source(files, folder)
    )
    command = [".perfci/service"]
    todo: tuple[str, ...] = ()
    table: dict[str, object] = {"env": {"PORT": "{port}"}}
    if flag:
        command.append(f"--{flag[1]}={'{port}' if flag[1] == 'port' else '127.0.0.1:{port}'}")
        table = {}
    else:
        table, todo = _listening(files, r".*\.go", r"\"PORT\"", {"PORT": "{port}"}, default=8080)
    yield Start(
        kind="command",
        table={
            "kind": "command",
            "build": ["go", "build", "-o", ".perfci/service", f"./{folder}"],
            "command": command,
            **table,
        },
        guesses=(
            Guess("service", f"the Go program ./{folder}", "it is the main package that listens"),
            Guess("port", command[-1] if flag else "PORT" if "env" in table else "fixed", "the code reads it"),
        ),
        todo=todo,
    )


def _source(files: Files, folder: str) -> str:
    return "\n".join(files.text(name) for name in files.matching(r".*\.go") if folder_of(name) == folder)


def _listens(files: Files, folder: str) -> bool:
    return bool(re.search(r"ListenAndServe|\.Run\(|\.Start\(|\.Listen\(", _source(files, folder)))


def rails_starts(files: Files) -> Iterator[Start]:
    """A Rails application at the root."""
    if not (files.first("config.ru") and re.search(r"^\s*gem [\"']rails[\"']", files.text("Gemfile"), re.MULTILINE)):
        return
    serve = "bin/rails db:prepare && exec bin/rails server --port {port} --binding 127.0.0.1"
    table: dict[str, object] = {
        "kind": "command",
        "build": ["bundle", "install", "--quiet"],
        "command": ["sh", "-c", serve],
        "env": {"BUNDLE_PATH": ".perfci/bundle", "RAILS_LOG_LEVEL": "warn", "PIDFILE": "{dir}/server.pid"},
    }
    todo = ("RAILS_ENV is development unless you set it: production is closer to what your users get",)
    why = Guess("service", "Ruby on Rails", "Gemfile names rails, and config.ru is there")
    yield Start(kind="command", table=table, guesses=(why,), todo=todo)


def procfile_starts(files: Files) -> Iterator[Start]:
    """The process `web` of a Procfile, unchanged."""
    found = re.search(r"^web:\s*(\S.*)$", files.text("Procfile"), re.MULTILINE)
    if found:
        table = {"kind": "command", "command": ["sh", "-c", found[1].strip()], "env": {"PORT": "{port}"}}
        todo = (
            "nothing installs what the Procfile starts: put it into build of [target], or into a step before perfci",
        )
        yield Start(
            kind="command", table=table, guesses=(Guess("command", found[1].strip(), "the Procfile"),), todo=todo
        )


def dockerfile_starts(files: Files) -> Iterator[Start]:
    """The image of the Dockerfile at the root, as a compose file with one service."""
    text = files.text("Dockerfile")
    ports = re.findall(r"^EXPOSE\s+(\d+)", text, re.MULTILINE)
    if not text:
        return
    port = int(ports[0]) if ports else 8000
    service = f'services:\n  app:\n    build: .\n    expose:\n      - "{port}"\n'
    compose = f"# Starts the image of the Dockerfile for perfci.\n{service}"
    yield Start(
        kind="dockerfile",
        table={"kind": "compose", "file": COMPOSE, "service": "app", "port": port},
        guesses=(
            Guess("target", "the image of the Dockerfile", f"{COMPOSE} builds and starts it"),
            Guess("port", str(port), "EXPOSE says so" if ports else "nothing names one"),
        ),
        health=dockerfile_health(text),
        files={COMPOSE: compose},
    )
