"""Requests a page over HTTP with limits in time and size, without proxies and redirects to other hosts."""

import time
from collections.abc import Mapping

import requests

from perfci.errors import MonitorError
from perfci.rig.host.tls import Verify

ANSWER_S = 2.0
MOST_BYTES = 8_000_000


class Asker:
    """A connection that is kept between requests."""

    def __init__(self, *, verify: Verify = True, answer_s: float = ANSWER_S) -> None:
        self._answer_s = answer_s
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = verify

    def ask(self, url: str, *, parameters: Mapping[str, str] | None = None) -> bytes:
        """The body of the response; MonitorError, which does not name the address, where there is none."""
        deadline = time.monotonic() + self._answer_s
        try:
            with self._session.get(
                url, params=parameters, timeout=self._answer_s, allow_redirects=False, stream=True
            ) as answer:
                body = b""
                for piece in answer.iter_content(1 << 16):
                    body += piece
                    if len(body) > MOST_BYTES or time.monotonic() > deadline:
                        raise MonitorError(
                            f"the answer is larger than {MOST_BYTES} bytes or takes over {self._answer_s:g} s"
                        )
                if answer.status_code != requests.codes.ok:
                    raise MonitorError(f"the answer has status {answer.status_code}")
                return body
        except requests.Timeout:
            raise MonitorError(f"no answer within {self._answer_s:g} s") from None
        except requests.RequestException as error:
            raise MonitorError(f"no answer ({type(error).__name__})") from None

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
