"""
Leaves out the user classes of which the scenario's tags leave no task.

Locust chooses tasks by their tags, and then starts users of all classes. Those of a class that has no task left raise,
again and again, and the scenario's users are fewer than it asked for.
"""

from collections.abc import Callable, Sequence, Set
from typing import Any

from locust import MarkovTaskSet, User


def leave_out_unchosen(environment: Any) -> None:
    """
    Keep the user classes that have a task with the right tags, and those whose tasks are not known yet.

    Call it on `init`, in the process that leads: Locust's master counts the classes before `test_start`, and workers
    start users of the classes that it names. Where no class has such a task all stay, and Locust says what is wrong.
    """
    options = environment.parsed_options
    tags, excluded = frozenset(options.tags or ()), frozenset(options.exclude_tags or ())
    if not tags and not excluded:
        return
    chosen = [each for each in environment.user_classes if not each.tasks or _is_chosen(each, tags, excluded)]
    if chosen and len(chosen) < len(environment.user_classes):
        environment.user_classes = chosen
        if environment.shape_class is not None:
            environment.shape_class.tick = _tick_of(environment.shape_class.tick, chosen)


def _tick_of(tick: Callable[[], Any], chosen: Sequence[type[User]]) -> Callable[[], Any]:
    """The *tick* of a LoadTestShape that names only *chosen* user classes; no users where it names none of them."""

    def of_chosen() -> Any:
        wanted = tick()
        if not wanted or not any(wanted[2:]):
            return wanted
        users, rate, named = wanted
        kept = [each for each in named if each in chosen]
        return (users, rate, kept) if kept else (0, rate)

    return of_chosen


def _is_chosen(task: Any, tags: Set[str], excluded: Set[str]) -> bool:
    """Whether Locust keeps a task, or at least one of those of a user class or task set."""
    if hasattr(task, "tasks"):
        return issubclass(task, MarkovTaskSet) or any(_is_chosen(each, tags, excluded) for each in task.tasks)
    own = getattr(task, "locust_tag_set", frozenset())
    return (not tags or bool(own & tags)) and not own & excluded
