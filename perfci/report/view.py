"""What a report is made of."""

from dataclasses import dataclass

from perfci.model import Outcome, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """
    Addresses that a report points to, each left out where it is empty; whether a fork or Dependabot measured; and the
    commit for which a comment may accept a red series, "" where no comment is read.
    """

    run: str = ""
    artifact: str = ""
    base_commit: str = ""
    untrusted: bool = False
    acceptable: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """
    All that a report may show: what was judged, what was measured, and where a reader can go on.

    Every format renders the same view, and asks nobody for more.
    """

    outcome: Outcome
    run: Run | None = None  # None: nothing was measured, or only the result is at hand
    stored: tuple[Run, ...] = ()  # the runs of a baseline that it was compared with
    links: Links = Links()
