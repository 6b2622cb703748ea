"""Runs a project's seeding command in its checkout, without secrets, with a time limit, and always ends it."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from perfci.errors import SeedError
from perfci.rig.host import leftovers, process
from perfci.rig.host.environment import child_environment
from perfci.rig.seed.seeded import Place


@contextlib.contextmanager
def running(
    command: Sequence[str], *, what: str, place: Place, env: Mapping[str, str], timeout_s: float
) -> Iterator[Callable[[], dict[str, Any]]]:
    """
    The command while others run beside it; what is yielded waits for its end, and tells what the last line says.

    Nothing, where that is no JSON object; SeedError where it fails. *what* names the command for the reader.
    """
    with contextlib.ExitStack() as stack:
        try:
            ended = stack.enter_context(
                leftovers.running(
                    command,
                    state=place.state,
                    cwd=place.source,
                    environment=child_environment(place.environ, env),
                    timeout_s=timeout_s,
                )
            )
        except OSError as error:
            raise SeedError(
                f"the seeding command {command[0]!r} cannot be run in {place.source}: {error.strerror or error}",
                hint="install it in a step before perfci, or give its path; a script needs to be executable",
            ) from None
        yield lambda: _answer_of(ended(), what, timeout_s)


def _answer_of(done: process.Completed, what: str, timeout_s: float) -> dict[str, Any]:
    if not done.ok:
        how = f"did not end within {timeout_s:g} s" if done.code is None else f"ended with {done.code}"
        said = "\n".join((done.out + done.err).splitlines()[-20:])
        raise SeedError(
            f"the seeding command {how}: {what}\n{said}",
            hint="run it by hand against the running target; some of the data may be there now",
        )
    return _last_json(done.out)


def _last_json(text: str) -> dict[str, Any]:
    lines = text.strip().splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
