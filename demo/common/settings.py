"""What the environment says about this process, read once."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST_MS = 10_000.0
SHORTEST_KEY = 32  # what HMAC with SHA-256 wants
TEST_KEY = "perf-test-perf-test-perf-test-perf-test"


def _random_key() -> str:
    return secrets.token_hex(32)


def _count(name: str, text: str, usual: int) -> int:
    if not text:
        return usual
    if not text.isascii() or not text.isdigit():
        raise ValueError(f"{name}: {text!r} is no whole number")
    return int(text)


def _rate(text: str, usual: int) -> int:
    return 0 if text == "off" else _count("DEMO_RATE_LIMIT", text, usual)


def _key(text: str) -> str:
    if text and len(text.encode()) < SHORTEST_KEY:
        raise ValueError(f"DEMO_SECRET_KEY: a key has {SHORTEST_KEY} bytes at least")
    return text or _random_key()


def _milliseconds(text: str) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST_MS:
        raise ValueError(f"DEMO_DIRECTORY_MS: {text!r} is no number of milliseconds between 0 and {LONGEST_MS:g}")
    return value


@dataclass(frozen=True)
class Settings:
    """The settings of one process; the defaults need nothing installed beside Python."""

    database_url: str = ""
    """An SQLAlchemy URL; empty means an SQLite file that lives as long as the process."""
    database_wait_s: int = 0
    """How long to wait at the start for a database that does not answer yet."""
    cache_url: str = ""
    """`redis://...`; empty means a cache inside the process."""
    slow: str = ""
    """Endpoints to slow down, such as `GET /tickets/=1.6;POST /tickets/=+5ms`."""
    faults: str = ""
    """Defects to have, such as `n-plus-one,no-cache`: see `demo.common.faults`."""
    directory_ms: float = 0.0
    """How long a staff directory elsewhere takes to say what somebody may do with tickets; 0: nobody is asked."""
    test_data: bool = False
    """Whether `/test-data` exists."""
    admin_token: str = field(default="", repr=False)
    """If set, `/test-data` asks for it in the header `X-Admin-Token`."""
    secret_key: str = field(default_factory=_random_key, repr=False)
    """Signs the tokens; sessions end with the process unless it is given."""
    webhook_token: str = field(default_factory=_random_key, repr=False)
    """What the phone provider signs its webhooks with."""
    rate_limit: int = 120
    """Requests a minute that an account may send where a system limits them; 0: any number."""
    most_waiting: int = 200
    """Requests that may wait for a place; what comes beyond them is refused with 503."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the `DEMO_*` variables."""
        test_data = environment.get("DEMO_TEST_DATA", "") == "1"
        # Who may empty the database needs no secret any more; a load test can make tokens and signatures itself.
        known_key = TEST_KEY if test_data else ""
        return cls(
            database_url=environment.get("DEMO_DATABASE_URL", ""),
            database_wait_s=_count("DEMO_DATABASE_WAIT_S", environment.get("DEMO_DATABASE_WAIT_S", ""), 0),
            cache_url=environment.get("DEMO_CACHE_URL", ""),
            slow=environment.get("DEMO_SLOW", ""),
            faults=environment.get("DEMO_FAULTS", ""),
            directory_ms=_milliseconds(environment.get("DEMO_DIRECTORY_MS", "")),
            test_data=test_data,
            admin_token=environment.get("DEMO_ADMIN_TOKEN", ""),
            secret_key=_key(environment.get("DEMO_SECRET_KEY", "") or known_key),
            webhook_token=environment.get("DEMO_WEBHOOK_TOKEN", "") or known_key or _random_key(),
            rate_limit=_rate(environment.get("DEMO_RATE_LIMIT", ""), cls.rate_limit),
            most_waiting=_count("DEMO_MOST_WAITING", environment.get("DEMO_MOST_WAITING", ""), cls.most_waiting),
        )
