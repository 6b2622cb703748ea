"""How a run was measured, in lines for the end of a report: what its endpoints stand for, and who counted its work."""

from collections.abc import Iterator

from perfci.model import CounterSource, Remark, Run, Side

NAMED = 5
LONGEST_NOTE = 120


def remarks(run: Run) -> tuple[Remark, ...]:
    """The remarks about *run*, in the order in which they are shown."""
    return (*_folded(run), _counted(run))


def _folded(run: Run) -> Iterator[Remark]:
    together = [f"{one.names:,} names are {one.endpoint}" for one in run.folded if not one.because]
    apart = [_apart(one.endpoint, one.names, one.because) for one in run.folded if one.because]
    if together or apart:
        parts = [_listed(together), f"answered otherwise, and so apart: {_listed(apart)}" if apart else ""]
        yield Remark(name="Folded", text="; ".join(filter(None, parts)))


def _apart(endpoint: str, names: int, because: str) -> str:
    said = endpoint if endpoint.endswith(f" ({because})") else f"{endpoint} ({because})"
    return f"{said}, {names:,} names" if names > 1 else said


def _counted(run: Run) -> Remark:
    """What counted the work of a request, and what could not; the same source once, however many sides had it."""
    census = [run.census[side] for side in (Side.CANDIDATE, Side.BASE) if side in run.census]
    if not census:
        return Remark(name="Work", text="not counted")
    sources = {(one.name, one.kind): one for each in reversed(census) for one in each.sources}
    found = [_source(one) for one in sources.values() if one.found]
    missing = [_absent(one) for one in sources.values() if not one.found]
    text = f"counted by {_listed(found)}" if found else "no source of counts was found"
    return Remark(name="Work", text=f"{text}; not found: {_listed(missing, mark='; ')}" if missing else text)


def _absent(one: CounterSource) -> str:
    note = one.note if len(one.note) <= LONGEST_NOTE else f"{one.note[:LONGEST_NOTE]}…"
    return f"{_source(one)}: {note}" if note else _source(one)


def _source(one: CounterSource) -> str:
    return one.name if one.name == one.kind else f"{one.name} ({one.kind})"


def _listed(texts: list[str], mark: str = ", ") -> str:
    return mark.join(texts[:NAMED]) + (f" and {len(texts) - NAMED} more" if len(texts) > NAMED else "")
