"""
What `kind = "python"` runs in the project's own interpreter, as `python -c THIS JSON`, in the project's checkout.

The standard library only, of any Python from 3.8 on. What the function prints goes to the log, with what it starts;
what it returns is all that this prints.
"""

import importlib
import json
import os
import sys
from typing import Any


def main(spec: "dict[str, Any]") -> None:
    """Call the function and print what it returned."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109
    module, _, name = spec["call"].partition(":")
    returned = getattr(importlib.import_module(module), name)(spec["url"], **spec["named"])
    if returned is not None and not (isinstance(returned, dict) and set(returned) <= {"created", "digest"}):
        raise SystemExit(
            "{} returned {!r}: wanted is a dict of created and digest, or None".format(spec["call"], returned)
        )
    answer.write(json.dumps(returned or {}))
    answer.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
