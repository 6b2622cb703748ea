"""How the phone provider signs its webhooks: HMAC-SHA1 over the address and the sorted form, as Twilio does it."""

import base64
import hashlib
import hmac
from collections.abc import Iterable


def signature_of(token: str, url: str, fields: Iterable[tuple[str, str]]) -> str:
    """What the header `X-Twilio-Signature` has to say."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    digest = hmac.new(token.encode(), text.encode(errors="surrogatepass"), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
