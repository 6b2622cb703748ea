"""
Creates and caches the virtual environment of a load generator whose Locust file requires packages.

It contains the packages of perfci's own environment, with Locust, and what the requirements name. Neither perfci nor
the service under test imports anything from it.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from perfci.errors import ConfigError, LoadError
from perfci.rig.host import leftovers
from perfci.rig.host.environment import child_environment, of_job
from perfci.rig.host.process import Completed

INSTALL_S = 900.0
STEP_S = 60.0
KEPT_S = 30 * 86400.0
"""How long an environment that no run uses is kept."""

OLDEST_PIP = (22, 3)  # the first version with `--python`, for an environment without a pip
DONE = "perfci-complete"
_NESTED = re.compile(r"^(?:-r|--requirement|-c|--constraint)[ =]+(\S+)")
_PINNED = re.compile(r"^locust\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a Locust file needs beside Locust: a *file* in pip's format, or the lines of one."""

    lines: tuple[str, ...] = ()
    file: Path | None = None

    def text(self) -> str:
        """All requirements, with those of included files; OSError where a file cannot be read."""
        return "\n".join([*self.lines, *(_whole(self.file, set()) if self.file is not None else ())])

    def __bool__(self) -> bool:
        """Whether anything is required."""
        return bool(self.lines) or self.file is not None

    @property
    def hashed(self) -> bool:
        """Whether pip will demand a hash of each file that it installs."""
        return "--hash" in self.text()


def _whole(file: Path, seen: set[Path]) -> Iterator[str]:
    if file in seen:
        return
    seen.add(file)
    for line in file.read_text(encoding="utf-8-sig").splitlines():
        yield line
        if nested := _NESTED.match(line.strip()):
            yield from _whole(file.parent / nested[1], seen)


def check_locust(requirements: Requirements) -> None:
    """Raise ConfigError where a requirement excludes the version of Locust that perfci uses."""
    version = importlib.metadata.version("locust")
    for line in requirements.text().splitlines():
        if not _PINNED.match(line.strip()):
            continue
        text = re.split(r"\s#|\s--|\s*\\$", line.strip())[0].strip()
        with contextlib.suppress(InvalidRequirement):
            wanted = Requirement(text)
            if wanted.name.lower() == "locust" and not wanted.specifier.contains(version, prereleases=True):
                raise _another_locust(f"the requirements ask for {text}")


def interpreter(requirements: Requirements, *, environ: Mapping[str, str], state: Path) -> str:
    """
    The interpreter of an environment with the requirements, which is created where no earlier run has done so.

    ConfigError where another Locust is required, LoadError where something cannot be installed.
    """
    check_locust(requirements)
    caches = _caches(environ, state)
    folder = caches / _key(requirements)
    if not (folder / DONE).exists():
        caches.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=caches, prefix="new-", ignore_cleanup_errors=True) as draft:
            _make(Path(draft) / "env", requirements, environ=environ, state=state)
            with contextlib.suppress(OSError):  # another run was quicker
                (Path(draft) / "env").rename(folder)
    os.utime(folder)
    _delete_unused(caches)
    return str(folder / "bin" / "python")


def cached(*, environ: Mapping[str, str], state: Path) -> list[Path]:
    """The folders of all cached environments, and of those that a killed perfci has not completed."""
    caches = _caches(environ, state)
    return sorted(caches.iterdir()) if caches.is_dir() else []


def clear(*, environ: Mapping[str, str], state: Path) -> None:
    """Delete all cached environments."""
    shutil.rmtree(_caches(environ, state), ignore_errors=True)


def _caches(environ: Mapping[str, str], state: Path) -> Path:
    """The folder of the cached environments; on a runner in its temporary folder, which no other job can write to."""
    temporary = environ.get("RUNNER_TEMP") if environ.get("GITHUB_ACTIONS") == "true" else ""
    return (Path(temporary) / "perfci-load" if temporary else state / "load").resolve()


def _key(requirements: Requirements) -> str:
    own = [importlib.metadata.version("locust"), sys.version, sysconfig.get_platform(), *_own_packages()]
    return hashlib.sha256("\0".join([requirements.text(), *own]).encode()).hexdigest()[:24]


def _own_packages() -> list[str]:
    """The folders of perfci's own environment in which Locust and what it needs are installed."""
    paths = sysconfig.get_paths()
    locust = str(Path(str(importlib.metadata.distribution("locust").locate_file(""))).resolve())
    return list(dict.fromkeys([locust, paths["purelib"], paths["platlib"]]))


def _make(folder: Path, requirements: Requirements, *, environ: Mapping[str, str], state: Path) -> None:
    environment = _environment(environ)

    def run(*command: str, timeout_s: float = STEP_S) -> Completed:
        return leftovers.run(command, state=state, cwd=folder.parent, environment=environment, timeout_s=timeout_s)

    made = run(sys.executable, "-I", "-m", "venv", "--without-pip", str(folder))
    if not made.ok:
        raise LoadError(f"no environment could be made for the requirements of the load:\n{_end(made)}")
    python = str(folder / "bin" / "python")
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "perfci-own.pth").write_text("\n".join(_own_packages()) + "\n")
    installed = run(
        *_pip(environment, state), "--python", python, *_pip_arguments(requirements, folder), timeout_s=INSTALL_S
    )
    if not installed.ok:
        said = _errors(installed)
        if "conflict" in said.lower() and "locust" in said.lower():
            raise _another_locust(f"the requirements of the load need another version of it:\n{said}")
        raise LoadError(
            f"the requirements of the load could not be installed:\n{said}",
            hint="check their names and versions; another index is the input index-url of the Action, and elsewhere"
            " what pip is configured with",
        )
    version = run(python, "-I", "-c", "import importlib.metadata as m; print(m.version('locust'))")
    if version.out.strip() != importlib.metadata.version("locust"):
        raise _another_locust(f"the requirements of the load bring Locust {version.out.strip()}")
    (folder / DONE).touch()


def _pip_arguments(requirements: Requirements, folder: Path) -> list[str]:
    """Arguments of pip. A constraint keeps Locust as it is, except with hashes, which it would need as well."""
    lines, constraint = folder / "requirements.txt", folder / "constraint.txt"
    lines.write_text("\n".join(requirements.lines) + "\n")
    constraint.write_text(f"locust=={importlib.metadata.version('locust')}\n")
    return [
        *("install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-warn-script-location"),
        *("--requirement", str(requirements.file or lines)),
        *(() if requirements.hashed else ("--constraint", str(constraint))),
    ]


def _pip(environment: Mapping[str, str], state: Path) -> list[str]:
    """The command of a pip that is new enough: of perfci's environment, or of the interpreter behind it."""
    base: str = getattr(sys, "_base_executable", sys.executable)  # what venv itself goes by
    for python in dict.fromkeys((sys.executable, base)):
        command = [python, "-I", "-m", "pip"]
        found = leftovers.run(
            [*command, "--version"], state=state, cwd=Path("/"), environment=environment, timeout_s=STEP_S
        )
        version = re.match(r"pip (\d+)\.(\d+)", found.out)
        if found.ok and version and (int(version[1]), int(version[2])) >= OLDEST_PIP:
            return command
    raise LoadError(
        f"the requirements of the load need pip {OLDEST_PIP[0]}.{OLDEST_PIP[1]} or newer, and {base} has none",
        hint="in a workflow put actions/setup-python before perfci; elsewhere install pip for that interpreter",
    )


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """
    The variables of pip: as it is configured on this machine, and on a runner by the inputs of the Action alone.

    A workspace must not choose there where packages come from.
    """
    runner = environ.get("GITHUB_ACTIONS") == "true"
    kept = of_job(environ).without(lambda name: name.startswith(("PYTHON", "PIP_") if runner else "PYTHON"))
    index = environ.get("PERFCI_INDEX_URL", "")
    extra = {"PIP_CONFIG_FILE": os.devnull, **({"PIP_INDEX_URL": index} if index else {})} if runner else {}
    return child_environment(kept, extra, passed=("PIP_*", "*_PROXY"))


def _delete_unused(caches: Path) -> None:
    for folder in caches.iterdir():
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < time.time() - KEPT_S:
                shutil.rmtree(folder, ignore_errors=True)


def _another_locust(what: str) -> ConfigError:
    version = importlib.metadata.version("locust")
    return ConfigError(
        f"{what}, and perfci drives with Locust {version}",
        hint=f"leave Locust out of the requirements, or allow {version}: perfci brings its own",
    )


def _errors(done: Completed) -> str:
    lines = [line for line in (done.out + done.err).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "  ", "The conflict", "Cannot install"))]
    return "\n".join((errors or lines)[-12:])


def _end(done: Completed) -> str:
    return "\n".join((done.out + done.err).splitlines()[-12:])
