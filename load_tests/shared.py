"""What the profiles of this folder share: think times, synthetic data, tokens, and users that sign in and ask.

Everything that is chosen at random comes from the module `random`, Faker's data included: who restores its state gets
the same choices again. `LOAD_TEST_RNG_SEED` seeds it for a run of plain Locust.
"""

import functools
import itertools
import os
import random
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

THINK_SCALE = float(os.environ.get("LOAD_TEST_THINK_SCALE", "1.0"))
"""Multiplies all think times: 0.02 makes a minute of work out of an hour's."""
SECRET_KEY = os.environ.get("LOAD_TEST_SECRET_KEY", "perf-test-perf-test-perf-test-perf-test")
"""What the service signs its tokens with; the default is that of the demo where it has test data."""
PASSWORD = os.environ.get("LOAD_TEST_USER_PASSWORD", "perf-test")
USERS = int(os.environ.get("LOAD_TEST_USERS", "200"))
"""Accounts with the role `user` in the test data."""
TOKEN_SECONDS = 3600
SIGN_IN_ATTEMPTS = 10
RETRY_SECONDS = 1.0
"""How long to wait before a sign-in that a busy service refused is tried again: what its `Retry-After` says."""

if RNG_SEED := os.environ.get("LOAD_TEST_RNG_SEED", ""):
    random.seed(RNG_SEED)

# Addresses that nobody registered before, in whichever process and however often the random state is restored.
_run = uuid.uuid4().hex[:12]
_numbers = itertools.count(1)


def think(shortest: float, longest: float, scale: float = THINK_SCALE) -> Callable[[Any], float]:
    """A think time between so many seconds, scaled."""
    return lambda _user: random.uniform(shortest, longest) * scale


@functools.cache
def fake() -> Any:
    """Faker, drawing from `random`; loaded where it is used, so that a profile without it needs no Faker."""
    from faker import Faker

    faker = Faker()
    faker.random = random  # the module has the methods of the object that Faker expects
    return faker


def person() -> dict[str, str]:
    """Name, address and phone number of somebody who does not exist."""
    name = fake().name()[:80]
    address = f"{name.split()[0].lower()}.{random.randrange(10**6)}@example.test"
    return {"name": name, "email": address, "phone": f"+1 555 {random.randrange(10**7):07}"}


def unused_email() -> str:
    """An address that no account has yet."""
    return f"new-{_run}-{next(_numbers):06}@example.test"


def token_for(user_id: int, key: str = SECRET_KEY) -> str:
    """A valid access token without a login: the signature decides."""
    import jwt

    claims = {"sub": str(user_id), "kind": "access", "exp": int(time.time()) + TOKEN_SECONDS}
    return jwt.encode(claims, key, algorithm="HS256")


class Accounts:
    """Hands out the accounts of the test data, each user another one, also across Locust's workers."""

    def __init__(self, count: int, form: str = "user{:04}@example.test") -> None:
        """*count* accounts whose addresses are *form* with 1 and up."""
        self._count = count
        self._form = form
        self._taken = itertools.count()

    def number(self, user: Any) -> int:
        """The number of the next account, from 1."""
        worker = getattr(user.environment.runner, "worker_index", 0)
        return (next(self._taken) + 37 * worker) % self._count + 1

    def email(self, user: Any) -> str:
        """The address of the next account."""
        return self._form.format(self.number(user))


class Caller:
    """Beside a Locust user with a `client`: sends requests with the token of whoever signed in."""

    headers: Mapping[str, str] = {}
    spent_ms = 0.0
    """What its requests have taken so far, together."""
    status = 0
    """The status of the latest answer; 0 if there was none."""

    def ask(self, method: str, path: str, *, name: str | None = None, **arguments: Any) -> Any:
        """Send a request; its JSON, or an empty object if it failed or has none: Locust has counted that."""
        arguments.setdefault("headers", dict(self.headers))
        began = time.perf_counter()
        response = self.client.request(method, path, name=name or path, **arguments)
        self.spent_ms += (time.perf_counter() - began) * 1e3
        self.status = response.status_code
        return response.json() if response.status_code in (200, 201) else {}

    def expect(self, status: int, method: str, path: str, *, name: str, **arguments: Any) -> bool:
        """Send a request that has to be refused; any other status is a failure. Whether it was refused."""
        with self.client.request(method, path, name=name, catch_response=True, **arguments) as response:
            refused = response.status_code == status
            if refused:
                response.success()
            else:
                response.failure(f"{response.status_code} instead of {status}")
            return refused

    def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        """`POST /auth/login`; all other requests carry its token. The tokens of the sign-in."""
        tokens = self.ask("POST", "/auth/login", json={"email": email, "password": password}, headers={})
        self.use_token(tokens.get("access_token", ""))
        return tokens

    def sign_in_with_retries(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        """
        Sign in, again and again while the service says 503 or nothing; the tokens.

        Each refusal counts as a failure. Without a token all that follows would fail as well, and not for the load.
        """
        for _ in range(SIGN_IN_ATTEMPTS):
            if tokens := self.sign_in(email, password):
                return tokens
            if self.status not in (0, 503):
                break
            time.sleep(RETRY_SECONDS)
        return {}

    def use_token(self, token: str) -> None:
        """Send *token* with every request from now on; none if it is empty."""
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def sign_out(self) -> None:
        """`POST /auth/logout`: the sign-in is over, if there was one."""
        if self.headers:
            self.ask("POST", "/auth/logout")
        self.headers = {}

    def register(self) -> str:
        """`POST /auth/register`: an account for somebody new; its address."""
        email = unused_email()
        order = {"email": email, "name": fake().name()[:80], "password": PASSWORD, "department": "operations"}
        self.ask("POST", "/auth/register", json=order)
        return email
