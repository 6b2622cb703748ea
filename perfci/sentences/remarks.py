"""Remarks on how a run was measured, for the end of a report: what its endpoints combine, and what counted its work."""

from collections.abc import Iterator

from perfci.model import CounterSource, Remark, Run, Side

NAMED = 5
LONGEST_NOTE = 120


def remarks(run: Run) -> tuple[Remark, ...]:
    """The remarks about *run*, in the order in which they are shown."""
    return (*_folded(run), _counted(run))


def _folded(run: Run) -> Iterator[Remark]:
    together = [f"{group.names:,} names are {group.endpoint}" for group in run.folded if not group.because]
    apart = [_apart(group.endpoint, group.names, group.because) for group in run.folded if group.because]
    if together or apart:
        parts = [_listed(together), f"kept apart, because their answers differ: {_listed(apart)}" if apart else ""]
        yield Remark(name="Folded", text="; ".join(filter(None, parts)))


def _apart(endpoint: str, names: int, because: str) -> str:
    said = endpoint if endpoint.endswith(f" ({because})") else f"{endpoint} ({because})"
    return f"{said}, {names:,} names" if names > 1 else said


def _counted(run: Run) -> Remark:
    """The sources that counted the work of a request, and those that could not; each source once for both sides."""
    census = [run.census[side] for side in (Side.CANDIDATE, Side.BASE) if side in run.census]
    if not census:
        return Remark(name="Work", text="not counted")
    sources = {(source.name, source.kind): source for each in reversed(census) for source in each.sources}
    found = [_source(source) for source in sources.values() if source.found]
    missing = [_absent(source) for source in sources.values() if not source.found]
    text = f"counted by {_listed(found)}" if found else "no source of counts was found"
    return Remark(name="Work", text=f"{text}; not found: {_listed(missing, mark='; ')}" if missing else text)


def _absent(source: CounterSource) -> str:
    note = source.note if len(source.note) <= LONGEST_NOTE else f"{source.note[:LONGEST_NOTE]}…"
    return f"{_source(source)}: {note}" if note else _source(source)


def _source(source: CounterSource) -> str:
    return source.name if source.name == source.kind else f"{source.name} ({source.kind})"


def _listed(texts: list[str], mark: str = ", ") -> str:
    return mark.join(texts[:NAMED]) + (f" and {len(texts) - NAMED} more" if len(texts) > NAMED else "")
