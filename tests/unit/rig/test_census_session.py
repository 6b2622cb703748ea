"""A client that is asked again and again: answers in order, bounded waiting, one clear error, nothing left behind."""

import os
from collections.abc import Iterator

import psutil
import pytest

from perfci.errors import CensusError
from perfci.rig.host import session as sessions
from perfci.rig.host.session import Session, inside, once_up


@pytest.fixture
def session() -> Iterator[Session]:
    """A shell, which can be told to misbehave."""
    with_shell = Session(["sh"], what="the shell", sentinel="echo {}", environment={"PATH": os.environ["PATH"]})
    yield with_shell
    with_shell.close()


def test_each_question_has_its_answer(session: Session) -> None:
    """Whole lines, whatever their number, size and encoding; also none."""
    assert session.ask("echo one; echo two") == ["one", "two"]
    assert session.ask("true") == []
    assert session.ask("printf '\\377\\n'") == ["\ufffd"]
    assert [len(line) for line in session.ask("head -c 300000 /dev/zero | tr '\\0' x; echo")] == [300_000]


def test_a_late_answer_is_an_error(session: Session) -> None:
    """With what was said until then."""
    with pytest.raises(CensusError, match=r"the shell did not answer within 0\.2 s: still at it"):
        session.ask("echo still at it; sleep 5", within_s=0.2)


def test_an_end_is_an_error(session: Session) -> None:
    """At once, with its last words; so is every later question."""
    with pytest.raises(CensusError, match="the shell does not answer any more: farewell"):
        session.ask("echo farewell; exit 1")
    with pytest.raises(CensusError, match="the shell does not answer any more"):
        session.ask("true")


def test_a_client_that_hangs_is_ended() -> None:
    """Closing does not wait for it."""
    session = Session(["sh"], what="the shell", sentinel="echo {}", environment={"PATH": os.environ["PATH"]})
    pid = int(session.ask("echo $$; trap '' TERM")[0])
    with pytest.raises(CensusError):
        session.ask("sleep 60", within_s=0.1)
    session.close()
    assert not psutil.pid_exists(pid)


def test_a_client_that_does_not_start_is_an_error() -> None:
    """With the reason; and a program that ends at once tells why."""
    with pytest.raises(CensusError, match="the base cannot be asked: docker: No such file"):
        inside("c", "exec psql", what="the base", sentinel="", environ={"PATH": "/nowhere"})
    with pytest.raises(CensusError, match="the base does not answer any more: no such container"):
        Session(["sh", "-c", "echo no such container"], what="the base", sentinel="echo {}", environment={})


@pytest.mark.parametrize(
    ("said", "tries"),
    [
        ("psql: error: connection to server failed: Is the server running locally?", 3),
        ("FATAL:  the database system is starting up", 3),
        ("ERROR 2002 (HY000): Can't connect to local server through socket", 3),
        ("FATAL:  password authentication failed", 1),
    ],
)
def test_a_database_that_comes_up_after_its_service_is_waited_for(
    said: str, tries: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says in a compose file that it must be there first; a refusal is told at once."""
    monkeypatch.setattr(sessions, "AGAIN_S", 0.0)
    asked: list[None] = []

    def opening() -> str:
        asked.append(None)
        if len(asked) < 3:
            raise CensusError(said)
        return "open"

    if tries == 1:
        with pytest.raises(CensusError, match=said):
            once_up(opening)
    else:
        assert once_up(opening) == "open"
    assert len(asked) == tries
