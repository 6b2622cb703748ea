"""
Makes Locust's clients trust the certificates that `tls` of the target names.

PERFCI_TLS holds {"ca": FILE} or {"verify": false}.

Locust's HttpUser reads no variable that names a file of certificates, and a FastHttpUser trusts anything unless it says
otherwise. Clients of other kinds go by SSL_CERT_FILE and the like, which perfci sets as well.
"""

import json
import os
import warnings
from typing import Any

from locust import clients
from locust.contrib import fasthttp


def install() -> None:
    """Patch Locust's clients to trust these certificates. Call it before the Locust file is loaded."""
    asked = json.loads(os.environ.get("PERFCI_TLS", "{}"))
    if "ca" in asked:
        clients._preloaded_ssl_context.load_verify_locations(asked["ca"])  # noqa: SLF001  # one for all users
    elif asked:
        warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        clients.HttpSession.__init__ = _trusting(clients.HttpSession.__init__)
        fasthttp.FastHttpSession.__init__ = _trusting(fasthttp.FastHttpSession.__init__, insecure=True)


def _trusting(make: Any, **changes: Any) -> Any:
    def made(session: Any, *args: Any, **named: Any) -> None:
        make(session, *args, **{**named, **changes})
        session.verify = False

    return made
