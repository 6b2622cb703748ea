"""
A history in object storage: a bucket of Amazon S3, or of a server that answers like it.

Nothing is locked. An object is written on the condition that it is still the one that was read (`If-Match`), or still
absent (`If-None-Match`), which S3 has known since November 2024. Where another writer was faster, the server refuses,
and the run is added to what that writer has left.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import tenacity

from perfci.errors import ConfigError, PublishError, ResultError
from perfci.store.files import LARGEST_BYTES
from perfci.store.history import MARKER_FILE, Change, check_marked

ATTEMPTS = 12
LONGEST_WAIT_S = 5.0

_ADDRESS = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[^\s]*))?")
_OVERTAKEN = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_HINT = "boto3 reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL and ~/.aws"


class _OvertakenError(Exception):
    """Another writer changed an object after it was read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketFiles:
    """The objects below the prefix of *place*, as they were listed."""

    place: "HistoryBucket"
    tags: dict[str, str]
    """The entity tag of each path; after a read, that of the content that was read."""

    def paths(self) -> Sequence[str]:
        """Every object, in the order of their names."""
        return sorted(self.tags)

    def read(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """The content of those of *paths* that were listed, each by one request."""
        return {path: self._content(path) for path in paths if path in self.tags}

    def _content(self, path: str) -> bytes:
        with self.place.errors("be read"):
            answer = self.place.client.get_object(Bucket=self.place.bucket, Key=self.place.prefix + path)
            if answer["ContentLength"] > LARGEST_BYTES:
                raise ResultError(
                    f"{self.place.name}/{path} is larger than {LARGEST_BYTES // 2**20} MiB and so no part of a history"
                )
            content: bytes = answer["Body"].read()
        self.tags[path] = answer["ETag"]
        return content


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryBucket:
    """The history below *prefix* ("" or with a slash at its end) of *bucket*, which *client*, boto3's, can reach."""

    bucket: str
    prefix: str
    client: Any = field(repr=False)

    @property
    def name(self) -> str:
        """The address, as people write it."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def files(self) -> BucketFiles:
        """The objects as they are now; ResultError where they are something else, PublishError without an answer."""
        with self.errors("be listed"):
            pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
            found = [entry for page in pages for entry in page.get("Contents", ())]
        files = BucketFiles(place=self, tags={entry["Key"].removeprefix(self.prefix): entry["ETag"] for entry in found})
        check_marked(files.paths(), files.read([MARKER_FILE]), where=self.name)
        return files

    def update(self, change: Change, *, message: str) -> bool:  # noqa: ARG002  # a bucket keeps no messages
        """Write what *change* makes of the objects; PublishError where others are faster each time."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_OvertakenError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=LONGEST_WAIT_S),
        )
        try:
            return retrying(self._update_once, change)
        except tenacity.RetryError:
            raise PublishError(
                f"others were faster {ATTEMPTS} times in writing to {self.name}", hint="push the run again: it is kept"
            ) from None

    def _update_once(self, change: Change) -> bool:
        files = self.files()
        written = change(files)
        for path, text in written.items():  # the index follows the run that it lists
            self._write(path, text, tag=files.tags.get(path, ""))
        return bool(written)

    def _write(self, path: str, text: str, *, tag: str) -> None:
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        with self.errors("be written"):
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + path, Body=text.encode(), **condition)

    @contextmanager
    def errors(self, what: str) -> Iterator[None]:
        """Turn boto3's errors into a PublishError that says that the bucket could not *what*."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _OVERTAKEN:
                raise _OvertakenError from None
            raise PublishError(f"{self.name} cannot {what}: {error}", hint=_HINT) from None
        except BotoCoreError as error:
            raise PublishError(f"{self.name} cannot {what}: {error}", hint=_HINT) from None


def bucket_at(address: str) -> HistoryBucket:
    """The history at *address*, s3://BUCKET/PREFIX; ConfigError where that is none, or where boto3 is absent."""
    found = _ADDRESS.fullmatch(address)
    if not found:
        raise ConfigError(f"{address[:100]!r} is no address of a bucket", hint="write s3://BUCKET/PREFIX")
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise ConfigError(
            f"{address} needs boto3, which is not installed", hint="install perfci[object-storage]"
        ) from None
    prefix = (found["prefix"] or "").strip("/")
    try:
        client = boto3.client("s3")
    except (BotoCoreError, ValueError) as error:
        raise ConfigError(f"{address} cannot be reached: {error}", hint=_HINT) from None
    return HistoryBucket(bucket=found["bucket"], prefix=f"{prefix}/" if prefix else "", client=client)
