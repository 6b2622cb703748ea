"""What the profiles share."""

import random
from types import SimpleNamespace

import jwt
import pytest
import shared


def test_think_times_are_drawn_between_their_ends_and_scaled() -> None:
    """A tenth of one to three seconds."""
    wait = shared.think(1, 3, 0.1)
    times = [wait(None) for _ in range(100)]
    assert 0.1 <= min(times) < max(times) <= 0.3


def test_the_same_random_state_gives_the_same_data() -> None:
    """People and Faker's sentences alike; another state gives others."""
    drawn = []
    for seed in (1, 1, 2):
        random.seed(seed)
        drawn.append((shared.person(), shared.fake().sentence(5), shared.fake().city()))
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_person_is_nobody_who_exists() -> None:
    """The address belongs to a domain that is reserved for tests, the number to no one."""
    for _ in range(50):
        somebody = shared.person()
        assert somebody["email"].endswith("@example.test")
        assert somebody["phone"].startswith("+1 555 ")
        assert 1 <= len(somebody["name"]) <= 80


def test_an_unused_address_is_new_whatever_the_random_state() -> None:
    """A turn of a duet restores it."""
    random.seed(1)
    first = shared.unused_email()
    random.seed(1)
    assert shared.unused_email() != first


def test_a_token_says_whose_it_is_and_is_signed() -> None:
    """By the key that was given, and by no other."""
    key = "k" * 40
    token = shared.token_for(7, key)
    claims = jwt.decode(token, key, algorithms=["HS256"])
    assert (claims["sub"], claims["kind"]) == ("7", "access")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, "x" * 40, algorithms=["HS256"])


@pytest.mark.parametrize("worker", [0, 1])
def test_each_user_gets_another_account(worker: int) -> None:
    """Until all are taken; another worker begins elsewhere."""
    user = SimpleNamespace(environment=SimpleNamespace(runner=SimpleNamespace(worker_index=worker)))
    accounts = shared.Accounts(50)
    numbers = [accounts.number(user) for _ in range(50)]
    assert sorted(numbers) == list(range(1, 51))
    assert numbers[0] == 37 * worker + 1
    assert shared.Accounts(9, "a{:02}").email(user) == f"a{37 * worker % 9 + 1:02}"


class Client:
    """Answers with the given statuses, the last of them for ever, and remembers what was asked."""

    def __init__(self, statuses: tuple[int, ...]) -> None:
        self.statuses = list(statuses)
        self.asked: list[tuple[str, str, dict[str, object]]] = []

    def request(self, method: str, path: str, **arguments: object) -> SimpleNamespace:
        """An answer like Locust's."""
        self.asked.append((method, path, arguments))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return SimpleNamespace(status_code=status, json=lambda: {"access_token": "t"})


def caller(*statuses: int) -> shared.Caller:
    """Somebody whose requests are answered with these statuses."""
    found = shared.Caller()
    found.client = Client(statuses)
    return found


def test_who_signed_in_sends_the_token_until_signing_out() -> None:
    """And then no more; signing out twice asks once."""
    user = caller(200)
    user.sign_in("a@example.test")
    assert user.headers == {"Authorization": "Bearer t"}
    user.sign_out()
    user.sign_out()
    assert [path for _, path, _ in user.client.asked] == ["/auth/login", "/auth/logout"]
    assert user.client.asked[1][2]["headers"] == {"Authorization": "Bearer t"}
    assert user.headers == {}


def test_a_refused_sign_in_leaves_no_token() -> None:
    """What follows is sent without one."""
    user = caller(401)
    assert user.sign_in("a@example.test") == {}
    assert user.headers == {}


@pytest.mark.parametrize(
    ("statuses", "asked", "signed_in"),
    [
        ((503, 0, 200), 3, True),
        ((401, 200), 1, False),
        ((503,), shared.SIGN_IN_ATTEMPTS, False),
    ],
)
def test_a_sign_in_is_tried_again_only_while_the_service_is_busy(
    statuses: tuple[int, ...], asked: int, signed_in: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where it was refused for good, and not for ever."""
    monkeypatch.setattr("shared.time.sleep", lambda _seconds: None)
    user = caller(*statuses)
    assert bool(user.sign_in_with_retries("a@example.test")) is signed_in
    assert bool(user.headers) is signed_in
    assert len(user.client.asked) == asked


def test_the_time_of_requests_adds_up() -> None:
    """For the row of a whole workflow."""
    user = caller(200)
    user.ask("GET", "/x")
    once = user.spent_ms
    user.ask("GET", "/x")
    assert 0 < once < user.spent_ms
