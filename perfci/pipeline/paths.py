"""Paths that a configuration names."""

from pathlib import Path

from perfci.errors import ConfigError


def inside(root: Path, path: str, *, what: str) -> Path:
    """Resolve *path* below *root*; ConfigError for a path that leads outside."""
    try:
        resolved = (root / path).resolve()
    except (OSError, ValueError) as error:
        raise ConfigError(f"the {what} {path!r} is no path: {error}") from None
    if not resolved.is_relative_to(root.resolve()):
        raise ConfigError(f"the {what} {path!r} lies outside the project", hint=f"move it below {root.name}/")
    return resolved
