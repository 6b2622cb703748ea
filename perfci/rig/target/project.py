"""Reads a side's compose project as compose resolves it, and makes an isolated copy of it."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perfci.errors import BaseUnavailableError, ConfigError, TargetError
from perfci.model import Side
from perfci.rig.host import docker, leftovers
from perfci.rig.host.git import Git
from perfci.rig.target import counting, literal, prebuilt
from perfci.rig.target.isolation import Copy, Isolated, isolate
from perfci.rig.target.running import Launch
from perfci.rig.target.stack import Stack, project_name

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
PLACEHOLDERS = frozenset({".gitkeep", ".keep", ".gitignore"})
MOST_BYTES = 256_000  # of one mounted file
MOST_FILES = 200  # of one mounted folder

_RESOLVED: dict[tuple[object, ...], tuple[str, str]] = {}
"""By side: the name under which compose resolved the project of this process, and the text that it answered."""

_LINE = re.compile(r"^\s*(?:export\s+)?(COMPOSE_FILE|COMPOSE_PATH_SEPARATOR)\s*=\s*(.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Which project of a tree is started, and the settings of its copy."""

    service: str  # under test
    port: int
    files: tuple[str, ...] = ()  # none: compose's own look-up
    profiles: tuple[str, ...] = ()
    build: bool = True
    images: Mapping[str, str] = field(default_factory=dict)  # by service, with {commit}: they take the place of a build
    env: Mapping[str, str] = field(default_factory=dict)


def resolve(project: Project, launch: Launch, *, anew: bool = True) -> Stack:
    """
    An isolated copy of the project in the side's tree.

    Compose reads the files of a side once: unless *anew*, a start uses its answer to an earlier one. ConfigError names
    what cannot be isolated; TargetError, where the file cannot be used or is that of the base.
    """
    launch.workspace.mkdir(parents=True, exist_ok=True)
    name, env = project_name(launch.label), _variables(project, launch)
    config, foreign = _own_paths(_config(project, launch, name, env, anew=anew), project, launch)
    tag, had = _image_prefix(launch), _prebuilt(project, config, launch)
    copy = Copy(
        project=name,
        service=project.service,
        port=project.port,
        tag=tag,
        build=project.build,
        prebuilt=had,
        side_by_side=launch.side_by_side,
        root=str(_root(launch.source)),
        absent=_absent(config),
        untracked=_untracked(config, launch),
        texts=_texts(config, launch.source) if launch.side_by_side or _has_subnets(config) else {},
        dockerfiles=_dockerfiles(config) if project.build else {},
        occupied=_occupied(config, launch) if launch.side_by_side else {},
    )
    isolated = _isolated(config, copy, launch)
    _refuse((*foreign, *_without_agent(config, launch), *isolated.problems), launch)
    services = isolated.config["services"]
    services[project.service]["environment"] = _environment(services[project.service], launch)
    added = counting.amend(services, environ=launch.environ) if launch.counted else {}
    # Hidden: it holds values of variables, and hidden files are not uploaded.
    resolved = launch.workspace / f".{launch.label}-compose.json"
    resolved.write_text(json.dumps(isolated.config, indent=1))
    return Stack(
        name=name,
        file=resolved,
        services=services,
        publisher=isolated.publisher,
        launch=launch,
        env=env,
        images=tag if project.build else "",
        warnings=(*_not_obeyed(project, launch), *isolated.warnings),
        outliving=isolated.outliving,
        added=added,
    )


def _prebuilt(project: Project, config: Mapping[str, Any], launch: Launch) -> dict[str, str]:
    """The images of the side's commit that take the place of a build, by service."""
    had = prebuilt.present(project.images, launch)
    if problem := prebuilt.problem(project.images, config["services"], had):
        raise _error(launch)(problem[0], hint=problem[1])
    return had


def _environment(service: Mapping[str, Any], launch: Launch) -> dict[str, Any]:
    """The variables of *service*, with those of the side; compose fills in variables once more."""
    own = {key: value.replace("$", "$$") for key, value in launch.extra_env.items()}
    return {**(service.get("environment") or {}), **own}


def text(source: Path, files: Sequence[str]) -> str:
    """The text of the compose files; "" where there are none."""
    with contextlib.suppress(OSError):
        return "\n".join(path.read_text(errors="replace") for path in compose_files(source, files))
    return ""


def compose_files(source: Path, names: Sequence[str]) -> list[Path]:
    """The compose files, named or found as compose does; empty where there are none."""
    with contextlib.suppress(TargetError):
        return _compose_files(source, names, {})
    return []


def _variables(project: Project, launch: Launch) -> dict[str, str]:
    """The variables for the compose file, with PWD and the workspace of the side's own tree."""
    own = {"PWD": str(launch.source)}
    if launch.environ.get("GITHUB_WORKSPACE"):
        own["GITHUB_WORKSPACE"] = str(_root(launch.source))
    return {**own, **project.env, **launch.extra_env}


def _config(project: Project, launch: Launch, name: str, env: Mapping[str, str], *, anew: bool) -> dict[str, Any]:
    """The project as compose resolved it, under the *name* of this copy."""
    side = (launch.source, launch.side, repr(project), repr(sorted(env.items())))
    if anew or side not in _RESOLVED:
        _RESOLVED[side] = name, json.dumps(_resolved(project, launch, name, env))
    former, answer = _RESOLVED[side]
    renamed: dict[str, Any] = json.loads(answer.replace(former, name))  # COMPOSE_PROJECT_NAME may be anywhere
    return renamed


def _resolved(project: Project, launch: Launch, name: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Ask compose for the project; TargetError where it cannot resolve it, or where the service is missing."""
    paths = _compose_files(launch.source, project.files, project.env)
    if (named := os.fsencode(launch.source).decode(errors="backslashreplace")) != str(launch.source):
        raise _error(launch)(
            f"Docker Compose cannot be used in {named}: it reads paths as UTF-8, and this one is not",
            hint="rename the folder, or check the project out elsewhere",
        )
    # Named only where they were chosen: compose's own look-up merges an override file that lies beside it.
    chosen = [word for path in paths for word in ("-f", str(path))] if project.files else []

    def config(*profiles: str) -> dict[str, Any]:
        named = [word for profile in profiles for word in ("--profile", profile)]
        words = ("compose", "-p", name, *chosen, *named, "config", "--format", "json")
        done = docker.run(*words, environ=launch.environ, extra=env, cwd=launch.source)
        if not done.ok:
            docker.diagnose(launch.environ)
            what = docker.last_line(done.err or done.out)
            raise TargetError(
                f"the compose file {', '.join(path.name for path in paths)} of {launch.side} cannot be used: {what}",
                hint="`docker compose config` in the same checkout says more",
            )
        found: dict[str, Any] = json.loads(done.out)
        return found

    found = config(*project.profiles)
    if project.service not in (found.get("services") or {}):
        hidden = (config("*").get("services") or {}).get(project.service) or {}
        if names := hidden.get("profiles"):
            raise _error(launch)(
                f"service {project.service!r} belongs to the compose profile {' or '.join(map(repr, names))},"
                " which is not active",
                hint=f'activate it: profiles = ["{names[0]}"] in [target]',
            )
    return found


def _error(launch: Launch) -> type[ConfigError | TargetError]:
    """A usage error for the candidate's file; for the base's, which the change cannot edit, a TargetError."""
    return ConfigError if launch.side is Side.CANDIDATE else TargetError


def _isolated(config: Mapping[str, Any], copy: Copy, launch: Launch) -> Isolated:
    try:
        return isolate(config, copy)
    except TargetError as error:
        raise _error(launch)(str(error), hint=error.hint) from None


def _own_paths(config: dict[str, Any], project: Project, launch: Launch) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The *config* without paths into another checkout, and what is not available without them."""
    if launch.working_tree is None:
        return config, ()
    return literal.moved(
        config,
        written=text(launch.source, project.files),
        checkout=str(_root(launch.working_tree)),
        tree=str(_root(launch.source)),
        exists=os.path.lexists,
    )


def _without_agent(config: Mapping[str, Any], launch: Launch) -> Iterator[str]:
    """Builds that need the SSH agent, which perfci passes on only where `pass_env` names it."""
    if "SSH_AUTH_SOCK" in docker.environment(launch.environ):
        return
    for name, service in (config.get("services") or {}).items():
        if any("=" not in str(key) for key in (service.get("build") or {}).get("ssh") or []):
            yield (
                f"the build of service {name!r} asks for the SSH agent, which perfci does not pass on:"
                ' pass_env = ["SSH_AUTH_SOCK"], or name a key: ssh = default=/path'
            )


def _refuse(problems: Sequence[str], launch: Launch) -> None:
    """Raise an error that names what cannot be isolated."""
    if not problems:
        return
    reasons = "\n".join(f"  {problem}" for problem in problems)
    twice = "two copies of it at the same time" if launch.side_by_side else "a copy of it"
    raise _error(launch)(
        f"the compose file of {launch.side} does not allow {twice}:\n{reasons}",
        hint="change it, or name an override file for perfci as well: files in [target]"
        + ('; against = "baseline" starts one copy only' if launch.side_by_side else ""),
    )


def _not_obeyed(project: Project, launch: Launch) -> Iterator[str]:
    """The settings of compose in perfci's own environment, which are not passed on, since they are no side's."""
    instead = {"COMPOSE_FILE": ("files", project.files), "COMPOSE_PROFILES": ("profiles", project.profiles)}
    for name, (key, given) in instead.items():
        if launch.environ.get(name) and not given and name not in project.env and launch.side is Side.CANDIDATE:
            yield f"{name} in the environment is not obeyed: name them in [target], {key} = [...]"


def _image_prefix(launch: Launch) -> str:
    """A prefix that is the same for every start of a side by this process, and unique on this machine."""
    process = leftovers.life(os.getpid())
    what = f"{launch.source.resolve()} {process.pid} {process.started_at}"
    return f"perfci-{launch.side}-{hashlib.sha256(what.encode()).hexdigest()[:8]}"


def _root(source: Path) -> Path:
    """The root of the repository around *source*, or *source* itself."""
    resolved = source.resolve()
    return next((path for path in (resolved, *resolved.parents) if (path / ".git").exists()), resolved)


def _compose_files(source: Path, files: Sequence[str], env: Mapping[str, str]) -> list[Path]:
    """The compose files, which must lie in the checkout; compose itself would search the folders above it."""
    names = list(files) or _by_variable(source, env)
    if names:
        paths = [source / name for name in names]
        absent = [path.name for path in paths if not path.is_file()]
    else:
        candidates = [source / name for name in DEFAULT_FILES]
        paths = [path for path in candidates if path.is_file()][:1]
        absent = [] if paths else [path.name for path in candidates]
    if absent:
        raise TargetError(
            f"there is no compose file in {source}: looked for {', '.join(absent)}",
            hint="name it, relative to the checkout: file in [target]",
        )
    for path in paths:
        if not path.resolve().is_relative_to(_root(source)):
            raise TargetError(f"the compose file {path} lies outside the checkout")
    return paths


def _by_variable(source: Path, env: Mapping[str, str]) -> list[str]:
    """The files that COMPOSE_FILE names, in `env` of [target] or in the `.env` of the tree."""
    values: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for name, value in _LINE.findall((source / ".env").read_text(errors="replace")):
            values[name] = value.split(" #")[0].strip().strip("\"'")
    values |= env
    separator = values.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return [name for name in values.get("COMPOSE_FILE", "").split(separator) if name]


def _binds(config: Mapping[str, Any]) -> Iterator[Path]:
    for service in (config.get("services") or {}).values():
        for mount in service.get("volumes") or []:
            if mount.get("type") == "bind":
                yield Path(str(mount["source"]))


def _absent(config: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(str(path) for path in _binds(config) if not os.path.lexists(path))


def _untracked(config: Mapping[str, Any], launch: Launch) -> frozenset[str]:
    """Mounted folders of the tree that have no file in git, except one that keeps the folder."""
    git, root = Git(root=launch.source, environ=launch.environ), _root(launch.source)
    folders = {str(path) for path in _binds(config) if path.is_dir() and path.resolve().is_relative_to(root)}
    with contextlib.suppress(BaseUnavailableError):  # no git, no repository
        listed = {folder: git.run("ls-files", "-z", "--", folder) for folder in sorted(folders)}
        tracked = {
            folder: {Path(name).name for name in done.names.split("\0") if name}
            for folder, done in listed.items()
            if done.ok
        }
        return frozenset(folder for folder, names in tracked.items() if names <= PLACEHOLDERS)
    return frozenset()


def _has_subnets(config: Mapping[str, Any]) -> bool:
    networks = (config.get("networks") or {}).values()
    return any((((network or {}).get("ipam") or {}).get("config")) for network in networks)


def _texts(config: Mapping[str, Any], source: Path) -> dict[str, str]:
    """The texts of the project's mounted files; empty where no network has a fixed range."""
    if not _has_subnets(config):
        return {}
    root = _root(source)
    configs = [Path(str(each["file"])) for each in (config.get("configs") or {}).values() if (each or {}).get("file")]
    found = {}
    for path in [*_binds(config), *configs]:
        if not path.resolve().is_relative_to(root) or path.resolve() == root:
            continue
        files = sorted(path.rglob("*"))[:MOST_FILES] if path.is_dir() else [path]
        for file in files:
            with contextlib.suppress(OSError):
                if file.is_file() and file.stat().st_size <= MOST_BYTES:
                    found[str(file.resolve().relative_to(root))] = file.read_text(errors="replace")
    return found


def _dockerfiles(config: Mapping[str, Any]) -> dict[str, str]:
    """The text of the Dockerfile of each service that is built, where it can be read."""
    found = {}
    for name, service in (config.get("services") or {}).items():
        build = service.get("build") or {}
        if build.get("dockerfile_inline"):
            found[name] = str(build["dockerfile_inline"])
            continue
        with contextlib.suppress(OSError):
            file = Path(str(build.get("context") or "")) / str(build.get("dockerfile") or "Dockerfile")
            if file.is_absolute():
                found[name] = file.read_text(errors="replace")
    return found


def _occupied(config: Mapping[str, Any], launch: Launch) -> dict[str, tuple[str, ...]]:
    """The containers on each external network; empty for a network that the engine does not have."""
    found = {}
    for name, network in (config.get("networks") or {}).items():
        if (network or {}).get("external"):
            real = str(network.get("name") or name)
            form = "{{range .Containers}}{{.Name}} {{end}}"
            done = docker.run("network", "inspect", "--format", form, real, environ=launch.environ)
            found[real] = tuple(done.out.split()) if done.ok else ()
    return found
