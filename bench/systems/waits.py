"""`python -m bench.systems.waits LOCUSTFILE CLASS`: how long users of a class think, drawn a thousand times."""

import random
import runpy
import sys
from pathlib import Path

import locust.main  # noqa: F401  # patches the process, before anything else is imported

DRAWS = 1000


def main(locustfile: str, name: str) -> str:
    """The shortest and the longest of the waits, in seconds."""
    sys.path.insert(0, str(Path(locustfile).parent))
    random.seed(7)
    user = runpy.run_path(locustfile)[name]
    waits = [user.wait_time(None) for _ in range(DRAWS)]
    return f"{name} waits {min(waits):.1f} to {max(waits):.1f} s"


if __name__ == "__main__":
    print(main(*sys.argv[1:]))
