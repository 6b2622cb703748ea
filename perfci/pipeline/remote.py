"""Reads the files of a commit that decide about a verdict through the API, as data: nothing is checked out or run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from perfci import store
from perfci.config import Config
from perfci.errors import ConfigError
from perfci.publish.repository import Repository

NEWEST_FILES = 50
"""Stored runs that are read, by their names the newest: ten of them count, those of one machine class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTree:
    """The project's folder *root* at *commit*."""

    repository: Repository
    commit: str
    root: PurePosixPath

    def read(self, path: str) -> bytes | None:
        """The content of a file of the project; None where there is none."""
        return self.repository.read(self.commit, self._at(path))

    def listing(self, folder: str) -> Mapping[str, str]:
        """The files of a folder of the project: name -> hash of the content."""
        return self.repository.listing(self.commit, self._at(folder))

    def copy_accepted(self, folder: str, to: Path, *, runs: bool) -> None:
        """Write the accepted census in *folder*, and with *runs* the newest stored runs, into the folder *to*."""
        listed = {name: digest for name, digest in self.listing(folder).items() if name.endswith(".json")}
        stored = sorted(name for name in listed if name != store.CENSUS)[-NEWEST_FILES:] if runs else []
        to.mkdir(parents=True, exist_ok=True)
        for name in [*stored, *({store.CENSUS} & listed.keys())]:
            (to / PurePosixPath(name).name).write_bytes(self.repository.blob(listed[name], f"{folder}/{name}"))

    def _at(self, path: str) -> str:
        whole = self.root / path
        if whole.is_absolute() or ".." in whole.parts:
            raise ConfigError(f"the path {path!r} leads outside the project")
        return str(whole)


def baselines_differ(base: RemoteTree, change: RemoteTree, folder: str) -> bool:
    """Whether the change edits stored runs; `census.json` is meant to be edited, and judged by rules of its own."""
    return _stored(base, folder) != _stored(change, folder)


def load_differs(base: RemoteTree, change: RemoteTree, named: Sequence[Sequence[str]]) -> bool:
    """
    Whether the Locust files that base and change name, files and folders, or Python modules beside them, differ.

    Of the project's own folder, where modules of the service may be, only what is named is compared.
    """
    before, after = (_load(tree, names) for tree, names in zip((base, change), named, strict=True))
    return before != after


def locustfiles_of(config: Config, profile: str, otherwise: Config) -> Sequence[str]:
    """The Locust files of *profile*, which only one of two configurations may have."""
    return (config if profile in config.profiles else otherwise).profiles[profile].locustfile


def _stored(tree: RemoteTree, folder: str) -> dict[str, str]:
    return {
        name: digest for name, digest in tree.listing(folder).items() if name.endswith(".json") and name != store.CENSUS
    }


def _load(tree: RemoteTree, named: Sequence[str]) -> dict[PurePosixPath, str]:
    """The hash of each file that drives the load, by its path."""
    found: dict[PurePosixPath, str] = {}
    for path in map(PurePosixPath, named):
        inside = {path / name: digest for name, digest in tree.listing(str(path)).items()}
        beside = {path.parent / name: digest for name, digest in tree.listing(str(path.parent)).items()}
        modules = {**inside, **(beside if path.parent != PurePosixPath() else {})}
        found |= {each: digest for each, digest in modules.items() if each.suffix == ".py"}
        found |= {each: digest for each, digest in beside.items() if each == path}
    return found
