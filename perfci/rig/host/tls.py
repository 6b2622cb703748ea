"""Decides how the certificate of a service is verified, by perfci itself and by the load."""

import json
import secrets
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import model_validator
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from perfci.errors import TargetError
from perfci.schema import Table

_OF_CLIENTS = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "WEBSOCKET_CLIENT_CA_BUNDLE")
"""Variables of OpenSSL, requests, curl and websocket-client that name a file of authorities."""

Verify = bool | str
"""The parameter `verify` of requests: True, a file of authorities, or False."""


class Tls(Table):
    """The table `tls` of [target]."""

    ca: str = ""  # a file of certificates in PEM, relative to the checkout: these are trusted, too
    verify: bool = True

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.ca and not self.verify:
            raise ValueError("verify = false trusts any certificate: leave ca out, or verify")
        return self

    def of(self, source: Path) -> Verify:
        """The settings for a service that is started from *source*; TargetError where the file is missing."""
        if not self.verify:
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")  # it is what was asked for
        if not self.ca:
            return self.verify
        file = (source / self.ca).resolve()
        if not file.is_file():
            raise TargetError(
                f"there is no file {self.ca} with the certificate of the service",
                hint="tls.ca of [target] is relative to the configuration file; a command in build may make it",
            )
        return str(file)


def trusting(services: Iterable[Verify], *, into: Path) -> dict[str, str]:
    """
    The variables that let a load trust all *services* as it is said of each.

    A file of their authorities, beside those that everybody trusts, is written into the folder *into*.
    """
    verified = list(services)
    if False in verified:
        return {"PERFCI_TLS": json.dumps({"verify": False})}
    files = [verify for verify in verified if isinstance(verify, str)]
    if not files:
        return {}
    into.mkdir(parents=True, exist_ok=True)
    whole = into / "ca.pem"
    parts = [Path(file).read_text() for file in dict.fromkeys([DEFAULT_CA_BUNDLE_PATH, *files])]
    draft = into / f"ca-{secrets.token_hex(4)}.pem"
    draft.write_text("\n".join(parts))
    draft.replace(whole)  # whole at every moment: the load of the other side may read it just now
    return {"PERFCI_TLS": json.dumps({"ca": str(whole)}), **dict.fromkeys(_OF_CLIENTS, str(whole))}
