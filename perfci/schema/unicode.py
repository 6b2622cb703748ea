"""JSON of processes and files that run or hold code of a change: its text can be written again, whatever it says."""

import json
import re

REPLACEMENT = "\ufffd"

_SURROGATE = re.compile(r"[\ud800-\udfff]|\\u[dD][89a-fA-F]")
_PART = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one character
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2}|[\ud800-\udfff])"
    r"|\\.",
    re.DOTALL,
)


def json_text(data: bytes) -> str:
    """
    The text of a JSON document, in which half of a surrogate pair is replaced by U+FFFD; ValueError for no text at all.

    JSON can name such a half and Python holds it, but no file and no terminal takes it: whoever put one into the name
    of a request would otherwise keep every report from being written.
    """
    text = data.decode(json.detect_encoding(data), errors="surrogatepass")
    if _SURROGATE.search(text) is None:
        return text
    return _PART.sub(lambda part: REPLACEMENT if part[1] else part[0], text)
