"""Findings about the change under review, and about settings that perfci ignores."""

from perfci.model import Side, Weight
from perfci.sentences.finding import finding

MOST_KEYS = 8
ONCE_MERGED = "it takes effect once it is merged"


@finding
class PolicyChanged:
    """The change edits the configuration, or the base's counts."""

    code = "policy-changed"
    weight = Weight.NOTICE
    keys: tuple[str, ...]  # dotted
    hint = ONCE_MERGED

    @property
    def message(self) -> str:
        more = len(self.keys) - MOST_KEYS
        listed = ", ".join(self.keys[:MOST_KEYS]) + (f" and {more} more keys" if more > 0 else "")
        return f"this change edits {listed}: the base decides"


@finding
class FormerKey:
    """The configuration uses a key that has been renamed."""

    code = "configuration"
    weight = Weight.WARNING
    message: str  # in the words of the configuration, which knows the keys
    hint = ""


@finding
class SeedChanged:
    """The change edits how test data is made."""

    code = "seed-changed"
    weight = Weight.NOTICE
    message = "this change edits [seed]: each side was seeded by its own table"
    hint = ""


@finding
class ProfileNew:
    """The base lacks the scenario."""

    code = "profile-new"
    weight = Weight.NOTICE
    scenario: str
    hint = ONCE_MERGED

    @property
    def message(self) -> str:
        return f"the base has no scenario {self.scenario}: both sides were driven as this change says"


@finding
class LoadChanged:
    """The change edits the Locust files, with which both sides are driven."""

    code = "load-changed"
    weight = Weight.NOTICE
    locustfile: str
    driver: Side  # whose version drove both sides
    hint = "load = \"base\" in the base's configuration drives both sides with the base's"

    @property
    def message(self) -> str:
        driven = "the base's version" if self.driver is Side.BASE else "this change's version"
        edited = f"this change edits the load ({self.locustfile}"
        return f"{edited}, or a module that it imports): both sides were driven by {driven}"


@finding
class BaselinesChanged:
    """The change edits stored runs; the comparison uses the base's."""

    code = "baselines-changed"
    weight = Weight.NOTICE
    folder: str
    hint = ONCE_MERGED

    @property
    def message(self) -> str:
        return f"this change edits {self.folder}: the base's stored runs count"


@finding
class PolicyNew:
    """The base has no configuration, in a job that measures."""

    code = "policy-new"
    weight = Weight.NOTICE
    file: str
    hint = ""

    @property
    def message(self) -> str:
        return f"the policy is not on the base yet: its {self.file} is new, and this change's own decides"


@finding
class NoPolicyOnBase:
    """The base has no configuration, in a job that judges."""

    code = "policy-new"
    weight = Weight.NOTICE
    file: str
    hint = ""

    @property
    def message(self) -> str:
        return f"the base has no {self.file}: this change's own policy decides"


@finding
class NoBase:
    """There is no base to measure beside the candidate."""

    code = "no-base"
    weight = Weight.WARNING
    why: str
    hint: str

    @property
    def message(self) -> str:
        return f"not compared side by side: {self.why}"


@finding
class SettingsUnread:
    """The project has Locust settings, which a run ignores."""

    code = "settings-unread"
    weight = Weight.WARNING
    files: tuple[tuple[str, tuple[str, ...]], ...]  # and the keys that are in each
    hint = "set the load in the scenario: users, spawn_rate, duration, tags, arguments"

    @property
    def message(self) -> str:
        named = [f"{file} ({', '.join(keys)})" if keys else file for file, keys in self.files]
        return f"perfci ignores the settings of Locust in {'; '.join(named)}"


@finding
class DependenciesShared:
    """The sides lock different dependencies, but nothing installs them for each side."""

    code = "dependencies-shared"
    weight = Weight.NOTICE
    files: tuple[str, ...]
    hint = "install them in build of [target], into a folder of the side's own tree: docs/two-sides.md"

    @property
    def message(self) -> str:
        return f"{', '.join(self.files)} differ between the sides, and nothing installs dependencies for each side"


@finding
class VariableWithheld:
    """The load or the service refers to a variable that perfci does not pass on."""

    code = "variable-withheld"
    weight = Weight.NOTICE
    file: str
    variable: str
    hint: str

    @property
    def message(self) -> str:
        return f"{self.file} refers to {self.variable}, which perfci does not pass on: it looks like a secret"
