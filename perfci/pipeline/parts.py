"""Which scenarios have the part of the load that `--tags` and `--user-class` ask for, and what it is of each."""

from collections.abc import Collection as Names
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from perfci.config import Config, Scenario
from perfci.errors import PerfciError
from perfci.pipeline.equipment import equipped
from perfci.pipeline.plan import Overrides, Plan, plan_of
from perfci.pipeline.ports import Ports
from perfci.pipeline.secrecy import environment_of
from perfci.rig.host.masking import Mask, masking
from perfci.rig.load.collection import Collection
from perfci.rig.load.generator import Place


@dataclass(slots=True)
class LocustFiles:
    """The user classes of a configuration's Locust files, and the tags of their tasks; each file is loaded once."""

    config: Config
    ports: Ports
    _collected: dict[str, Collection | None] = field(default_factory=dict)

    def of(self, name: str) -> Collection | None:
        """What the Locust files of PROFILE:SCENARIO hold; None where they cannot be loaded, as a run will say."""
        try:
            plan = plan_of(self.config, name, Overrides(), root=self.ports.root)
            key = repr((plan.runtime, plan.requirements, sorted(plan.load.environment.items())))
            if key not in self._collected:
                self._collected[key] = None
                self.ports.progress.phase(f"listing the tasks of {plan.load.locustfile}")
                self._collected[key] = self._collect(plan)
            return self._collected[key]
        except PerfciError as error:
            self.ports.progress.note(f"{name}: the tasks of its Locust file cannot be listed: {error}")
            return None

    def _collect(self, plan: Plan) -> Collection:
        environ = environment_of(self.config, self.ports.environ, needed=self.config.secrets.load)
        mask = Mask(environ.hidden())
        plan = equipped(plan, self.ports, environ)
        with masking(mask), TemporaryDirectory(prefix="perfci-tasks-") as folder:
            place = Place(
                source=self.ports.root,
                folder=Path(folder),
                environ=environ.giving(self.config.secrets.load),
                state=self.ports.state,
                watch=lambda _: None,
                runtime=plan.runtime,
                mask=mask,
            )
            return self.ports.collect(plan.load, place)


def parted(asked: Overrides, scenario: Scenario, files: Collection | None) -> Overrides:
    """*asked* with those of its tags and user classes that *scenario* has; *files*: what its Locust files hold."""
    return asked.model_copy(
        update={
            "tags": _kept(asked.tags, scenario.tags),
            "user_classes": _kept(asked.user_classes, scenario.user_classes or files or ()),
        }
    )


def obstacle(asked: Overrides, scenario: Scenario, files: Collection | None) -> str:
    """
    Why nothing of *scenario* is the part of the load that is *asked* for; "" where something is.

    A task belongs to that part if one of the chosen user classes has it, and it has one of the chosen tags. A scenario
    without tags or user classes of its own has all of its Locust *files*. Where these are unknown (None), only what
    the scenario itself names decides.
    """
    part = parted(asked, scenario, files)
    if part.tags == ():
        return f"its tags are {', '.join(scenario.tags)}"
    if part.user_classes == ():
        named = f"its user classes are {', '.join(scenario.user_classes)}"
        return named if scenario.user_classes else f"the user classes of its Locust file are {', '.join(files or ())}"
    if files is None or not (asked.tags or asked.user_classes):
        return ""
    classes = [name for name in part.user_classes or scenario.user_classes or files if name in files]
    return _nothing_to_do(classes, files, tags=part.tags or scenario.tags, excluded=scenario.exclude_tags)


def _kept(asked: Sequence[str] | None, own: Names[str]) -> tuple[str, ...] | None:
    """Those of *asked* that are among *own*, if there are any own ones."""
    if not asked:
        return None
    return tuple(name for name in asked if name in own) if own else tuple(asked)


def _nothing_to_do(classes: Sequence[str], files: Collection, *, tags: Sequence[str], excluded: Names[str]) -> str:
    """Why Locust finds no task for users of *classes*; "" where it finds one, or where these tags are not to blame."""
    tasks = [task for name in classes for task in files[name]]
    tagged = [task for task in tasks if not tags or task.intersection(tags)]
    if not tasks or any(task.isdisjoint(excluded) for task in tagged):
        return ""
    who, which = ", ".join(classes), f"the tag {' or '.join(tags)}"
    if not tagged:
        return f"no task of {who} has {which}"
    return f"each task of {who}{f' with {which}' if tags else ''} is excluded"
