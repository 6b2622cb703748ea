"""
One side of a round with one request in flight: its copy of the user's locustfile, its users, its log, its tasks.

What a duet and a census have in common. The locustfile is loaded once per side, with the modules of the project that it
imports, so that each side has its own users, its own module state and its own events.
"""

import inspect
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import gevent
import locust
import perfci_tls
from locust import TaskSet, User
from locust.argument_parser import get_parser
from locust.env import Environment
from locust.event import Events
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser
from locust.user.task import DefaultTaskSet, filter_tasks_by_tags
from locust.util.load_locustfile import load_locustfile
from perfci_endings import place, raised_at, said
from perfci_endpoints import Endpoints, Named
from perfci_log import LogWriter, request_listener
from perfci_lost import Caught
from perfci_names import refuse_hidden

LONGEST_TASK_S = 30.0
CONTROL_FLOW = (RescheduleTask, RescheduleTaskImmediately, StopUser, StopTest)
MAIN = gevent.getcurrent()  # what takes the turns; the file may have greenlets of its own

Execute = Callable[[], bool]
"""Executes a task once; False where it has left its task set."""

perfci_tls.install()
caught = Caught()
caught.install()
# Think times are left out, also where a task asks for one itself; what it may be waiting for goes on.
TaskSet._sleep = lambda *_: gevent.sleep(0)  # noqa: SLF001


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What every round needs to know."""

    locustfiles: list[str]
    hosts: dict[str, str]  # side -> base URL, the base first
    record: str  # folder for the logs, one per side
    user_classes: list[str]  # empty: all
    tags: list[str]
    exclude_tags: list[str]
    arguments: dict[str, list[str]]  # side -> those of the command line
    environment: dict[str, dict[str, str]]  # side -> variables that hold its address
    rng_seed: int
    endpoints: list[dict[str, str]] = field(default_factory=list)  # the project's own names for them


@dataclass(slots=True)
class Turn:
    """One task of one user class, ready to be executed on either side."""

    name: str
    user_class: str
    execute: dict[str, Execute]  # by side
    endpoints: frozenset[str] = frozenset()  # that the first side asked for
    visits: int = 0


class Party:
    """One side: its copy of the locustfile, its users, its log."""

    def __init__(self, side: str, spec: Spec) -> None:
        self.side = side
        self.log = LogWriter(Path(spec.record) / f"{side}.log")
        self._variables = spec.environment[side]
        self.enter()
        # `from locust import events` in the locustfile must give this side's events, not those of the other side.
        locust.events = Events()
        random.seed(spec.rng_seed)  # what the file draws at its import is the same for each side
        classes = _loaded(spec.locustfiles)
        self.environment = Environment(
            events=locust.events, host=spec.hosts[side], parsed_options=_options(spec, side), catch_exceptions=True
        )
        self.environment.create_local_runner().greenlet.kill(block=False)  # locustfiles ask it things; it runs nothing
        self.ended_at: float | None = None  # when the file ended the run, by the monotonic clock
        self.unstarted: list[str] = []  # classes whose users could not start, with the exception
        self._began = time.monotonic()
        self.environment.runner.quit = partial(self._quit, "quit")
        self.environment.runner.stop = partial(self._quit, "stop")
        self.endpoints = Endpoints(spec.hosts[side], spec.endpoints)
        self.listen(request_listener(self.log, self.endpoints, home=spec.hosts[side]))
        self.asked: list[str] = []  # endpoints, in order, since it was last cleared
        self.troubles = 0  # failed requests, and exceptions outside of them
        self.listen(self._watch)
        self.classes = {name: c for name, c in classes.items() if not spec.user_classes or name in spec.user_classes}
        named = ", ".join(spec.locustfiles)
        if missing := sorted(set(spec.user_classes) - set(classes)) or ([] if self.classes else ["at all"]):
            it_has = f"it has {', '.join(classes)}" if classes else "No User class found!"
            raise SystemExit(f"perfci: {named} has no user class {', '.join(missing)}; {it_has}")
        # A class with a weight of 0 is switched off, unless a fixed number of its users is wanted.
        self.classes = {name: c for name, c in self.classes.items() if c.weight > 0 or c.fixed_count > 0}
        if not self.classes:
            raise SystemExit(f"perfci: {named} has no user class with a weight above 0 | Locust starts none")
        refuse_hidden(self.classes.values())
        for user_class in self.classes.values():
            if spec.tags or spec.exclude_tags:
                filter_tasks_by_tags(user_class, set(spec.tags) or None, set(spec.exclude_tags) or None)
        self.environment.user_classes = list(self.classes.values())
        self.environment.events.init.fire(environment=self.environment, runner=self.environment.runner, web_ui=None)
        self.environment.events.test_start.fire(environment=self.environment)

    def enter(self) -> None:
        """Let the variables be those of this side."""
        os.environ.update(self._variables)

    def listen(self, listener: Callable[..., Any]) -> None:
        """Tell *listener* of each request, also of those that Locust itself would lose."""
        self.environment.events.request.add_listener(listener)
        caught.tell(self.environment.events.request, listener)

    def named(self, request_type: str, name: str, response: Any = None, url: Any = None) -> Named:
        """The endpoint of a request, as Locust's event tells of it."""
        return self.endpoints.of(request_type, name, response=response, url=url)

    def _watch(
        self,
        request_type: str,
        name: str,
        exception: BaseException | None = None,
        response: Any = None,
        url: Any = None,
        **_: Any,
    ) -> None:
        self.asked.append(self.named(request_type, name, response, url).endpoint)
        self.troubles += exception is not None

    def user(self, name: str) -> User:
        """A started user of the class; an exception in `on_start` is the caller's to see."""
        self.classes[name].host = self.environment.host  # whatever the file says, as Locust itself does it
        user = self.classes[name](self.environment)
        user._taskset_instance = DefaultTaskSet(user)  # noqa: SLF001  # what `self.wait()` asks
        user.on_start()
        return user

    def close(self) -> None:
        """Write the rest of the log, with what could not be told in time."""
        if unjudged := caught.unjudged[self.environment.events.request]:
            self.log.event("unjudged", requests=unjudged)
        self.log.close()

    def end(self, by: str) -> None:
        """Note that the file ended the run, once."""
        if self.ended_at is None:
            self.ended_at = time.monotonic()
            self.log.event("ended", by=by, after_s=self.ended_at - self._began)

    def _quit(self, how: str) -> None:
        """In place of the runner's own `quit` and `stop`: the other side may do the same before the turns end."""
        self.end(said(f"runner.{how}()", place(sys._getframe(1))))  # noqa: SLF001
        if gevent.getcurrent() is MAIN:
            raise StopUser

    def exception(self, where: str, error: BaseException) -> None:
        """Note an exception outside of any request."""
        self.troubles += 1
        self.log.event("exception", user=where, message=f"{type(error).__name__}: {error}"[:300])


def _loaded(locustfiles: list[str]) -> dict[str, type[User]]:
    """
    The user classes of a fresh copy of the files and of everything that they import of their project.

    A class that two sides share would send the users of both to one of them.
    """
    folders = {Path.cwd(), *(Path(file).resolve().parent for file in locustfiles)}
    for name, module in list(sys.modules.items()):
        file = Path(getattr(module, "__file__", None) or "/")
        if folders & set(file.parents) and "site-packages" not in file.parts and file.parent != Path(__file__).parent:
            del sys.modules[name]
    classes: dict[str, type[User]] = {}
    for file in locustfiles:
        for name, found in load_locustfile(file)[0].items():
            there = inspect.getfile(classes.setdefault(name, found))
            if there != inspect.getfile(found):
                raise SystemExit(f"perfci: {there} and {file} both have a user class {name} | rename one of them")
    return classes


def _options(spec: Spec, side: str) -> Any:
    parser = get_parser(default_config_files=[])  # else it would read locust.conf
    parser.allow_abbrev = False  # an option of the file's own is never taken for one of Locust's
    options = parser.parse_args([*spec.arguments[side], "--headless", "-f", spec.locustfiles[0]])
    if options.user_classes:
        raise SystemExit(
            f"perfci: the arguments of the profile hold {' '.join(options.user_classes)}, which belongs to no option"
            " | name user classes in `user_classes`"
        )
    return options


def _tasks(holder: Any, party: Party) -> Iterator[tuple[str, Execute]]:
    """Each distinct task of a user or task set once, nested task sets opened, in the order of the file."""
    for task in dict.fromkeys(holder.tasks):
        name = f"{type(holder).__name__}.{_name(task)}"
        if not _is_set(task):
            yield name, execution(_name(task), partial(task, holder), party)
        elif task.get_next_task is not TaskSet.get_next_task:
            yield name, Walk(task, holder, party)
        else:
            nested = task(holder)
            nested.on_start()
            yield from _tasks(nested, party)


def _is_set(task: Any) -> bool:
    return isinstance(task, type) and issubclass(task, TaskSet)


def _name(task: Any) -> str:
    return getattr(task, "__name__", None) or type(task).__name__


class Walk:
    """
    A task set that decides itself what comes next (sequential, Markov): one execution is as many steps as it has tasks.

    Each step needs what the one before it has left, so none is taken alone. A set that was left by `interrupt` is
    entered anew the next time, as Locust does.
    """

    def __init__(self, kind: type[TaskSet], holder: Any, party: Party) -> None:
        self._enter = lambda: kind(holder)
        self._party = party
        self._set = self._enter()
        self._steps = len(self._set.tasks) or sum(hasattr(task, "transitions") for task in vars(kind).values())
        self._set.on_start()

    def __call__(self) -> bool:
        """
        Walk. Each step begins with a random state of its own, which the other side's has, too.

        So a step that draws more on one side, because it got another answer, does not lead the next ones elsewhere.
        """
        if self._set is None:
            self._set = self._enter()
            self._bounded(self._set.on_start, "on_start")
        for rng_seed in [random.getrandbits(64) for _ in range(self._steps)]:
            random.seed(rng_seed)
            if not self._step(self._set.get_next_task()):
                self._bounded(self._set.on_stop, "on_stop")
                self._set = None
                break
        return True

    def _step(self, task: Any) -> bool:
        if _is_set(task):
            self._bounded(partial(self._within, task), _name(task))
            return True
        action = task if getattr(task, "__self__", None) is self._set else partial(task, self._set)
        return self._bounded(action, _name(task))

    def _within(self, kind: type[TaskSet]) -> None:
        """A set within a walk: each of its tasks once."""
        nested = kind(self._set)
        nested.on_start()
        for _, execute in _tasks(nested, self._party):
            execute()

    def _bounded(self, action: Callable[[], object], name: str) -> bool:
        return execution(name, action, self._party)()


def execution(name: str, action: Callable[[], object], party: Party) -> Execute:
    """*action*, bounded in time; whatever it raises is noted under *name* and goes no further."""

    def execute() -> bool:
        party.enter()
        try:
            with gevent.Timeout(LONGEST_TASK_S):
                action()
        except InterruptTaskSet:
            return False
        except SystemExit as error:
            party.end(said(type(error).__name__, raised_at(error), error))
        except CONTROL_FLOW:
            pass
        except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's task raises is data
            party.exception(name, error)
        return True

    return execute


def turns_of(parties: dict[str, Party]) -> list[Turn]:
    """The rotation. A class that cannot start on one side is left out on both, and noted on the side that failed."""
    first = next(iter(parties.values()))
    turns: list[Turn] = []
    for name in first.classes:
        state = random.getstate()
        tasks: dict[str, list[tuple[str, Execute]]] = {}
        for side, party in parties.items():
            random.setstate(state)
            try:
                with gevent.Timeout(LONGEST_TASK_S):
                    tasks[side] = list(_tasks(party.user(name), party))
            except SystemExit as error:
                party.end(said(type(error).__name__, raised_at(error), error))
            except (gevent.Timeout, Exception) as error:  # noqa: BLE001  # whatever a user's on_start raises is data
                party.exception(f"{name}.on_start", error)
                party.unstarted.append(f"{name}: {type(error).__name__}: {error}"[:300])
        if len(tasks) == len(parties):
            for position, (task, _) in enumerate(next(iter(tasks.values()))):
                turns.append(Turn(task, name, {side: executions[position][1] for side, executions in tasks.items()}))
    for party in parties.values():
        if not turns and party.unstarted:
            party.end(f"no user could start: {party.unstarted[0]}")
    return turns
