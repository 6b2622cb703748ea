"""Downloads the archive of an artifact, within bounds of size and time, and checks its digest."""

import hashlib
from pathlib import Path

from perfci.errors import ArtifactError, PublishError
from perfci.publish.repository import Artifact, Repository

MAX_ARCHIVE_BYTES = 256 * 2**20
CHUNK = 1 << 20


def download(repository: Repository, artifact: Artifact, file: Path, *, digest: str = "") -> None:
    """
    Write the archive of *artifact* to *file*.

    *digest* is the SHA-256 that the uploading step gave, "" where it is not known; that of the API is checked as well.
    ArtifactError where the archive is too large or another one than was uploaded.
    """
    shown = f"the artifact {artifact.name}"
    if artifact.size > MAX_ARCHIVE_BYTES:
        raise _too_large(shown, artifact.size)
    known = {each.removeprefix("sha256:").lower() for each in (digest, artifact.digest) if each}
    found = repository.patience.ask(lambda: _fetched(repository, artifact, file, shown))
    if known - {found}:
        raise ArtifactError(
            f"{shown} is not what was uploaded: its digest is {found[:12]}, expected was {min(known - {found})[:12]}",
            hint="run the measuring job again",
        )


def _fetched(repository: Repository, artifact: Artifact, file: Path, shown: str) -> str:
    """Download once, and return the digest of what came."""
    import requests

    headers = {"Authorization": f"Bearer {repository.token}", "Accept": "application/vnd.github+json"}
    whole, size = hashlib.sha256(), 0
    # requests sends no Authorization to another host, which is where the API redirects to.
    with requests.get(artifact.url, headers=headers, stream=True, timeout=repository.timeout) as answer:
        if answer.status_code != 200:
            raise PublishError(f"{shown} cannot be downloaded (HTTP {answer.status_code})")
        with file.open("wb") as out:
            for chunk in answer.iter_content(CHUNK):
                size += len(chunk)
                if size > MAX_ARCHIVE_BYTES:
                    raise _too_large(shown, size)
                if not repository.patience.left_s:
                    raise PublishError(f"{shown} could not be downloaded in time")
                whole.update(chunk)
                out.write(chunk)
    return whole.hexdigest()


def _too_large(shown: str, size: int) -> ArtifactError:
    return ArtifactError(
        f"{shown} has {size / 2**20:.0f} MiB, and a run of perfci's at most {MAX_ARCHIVE_BYTES // 2**20}",
        hint="nothing of it was read, and nothing was published",
    )
