# ruff: noqa: INP001  # a script, no package
"""`python seed.py URL`: fills the database of the demo as soon as it answers; data that is there stays."""

import sys
import time

import requests

PATIENCE_S = 120
CONFLICT = 409


def main(url: str) -> int:
    """0 once there is data; 1 if the service refused, or never answered."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        try:
            answer = requests.post(f"{url}/test-data", json={"rng_seed": 7}, timeout=60)
        except requests.ConnectionError:
            time.sleep(0.5)
        else:
            print(answer.text)
            return int(not answer.ok and answer.status_code != CONFLICT)
    print(f"{url} does not answer", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
