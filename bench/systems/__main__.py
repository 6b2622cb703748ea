"""`python -m bench.systems`: show every promise, and write the page."""

import tempfile
from pathlib import Path

import click

from bench.systems import performance
from bench.systems.evidence import KINDS
from bench.systems.machine import Allowed, Machine, allowed_scenarios
from bench.systems.page import write
from bench.systems.rows import PLANS, Row, read
from bench.systems.shown import Evidence, Shown, State

ROOT = Path(__file__).parents[2]


@click.command()
@click.option("--system", "systems", multiple=True, type=click.Choice(list(PLANS)), help="Only this one, or these.")
@click.option("--only", "numbers", multiple=True, help="Produce the evidence for this promise anew, such as T04.")
@click.option("--scenario", "scenarios", multiple=True, help="Measure only these, such as crm:sustained-smoke.")
@click.option("--tests/--no-tests", "tests", default=True, help="Run the tests that are evidence.")
@click.option("--compose/--no-compose", "compose", default=False, help="Measure in containers, too.")
@click.option(
    "--full/--no-full", "full", default=True, help="Measure at the documented number of users, for a shorter time."
)
@click.option(
    "--page", type=click.Path(path_type=Path), default=ROOT / "docs" / "systems.md", help="The page to write."
)
@click.option("--performance-page", type=click.Path(path_type=Path), help="Write the measured times there.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where the evidence goes, and stays: the next call takes what is there, and goes on.",
)
def main(  # noqa: PLR0917  # click passes by name
    systems: tuple[str, ...],
    numbers: tuple[str, ...],
    scenarios: tuple[str, ...],
    page: Path,
    performance_page: Path | None,
    output: Path | None,
    **allowed: bool,
) -> None:
    """Run the evidence of each promise, and write its output to the page."""
    with tempfile.TemporaryDirectory(prefix="systems-") as scratch:
        place = output or Path(scratch)
        may = Allowed(scenarios=allowed_scenarios(scenarios), **allowed)
        with Machine(ROOT, place.resolve(), may, anew=bool(numbers)) as machine:
            evidence = Evidence.read(place / "evidence.json")
            found = {
                system: [(row, _shown(row, system, machine, evidence, numbers)) for row in read(system)]
                for system in systems or PLANS
            }
            if performance_page is not None:
                performance_page.write_text(performance.write(machine.folders), encoding="utf-8")
    page.write_text(write(found), encoding="utf-8")
    states = [shown.state for rows in found.values() for _, shown in rows]
    click.echo(
        f"{len(states)} promises: " + ", ".join(f"{states.count(state)} {state.value.strip('*')}" for state in State)
    )


def _shown(row: Row, system: str, machine: Machine, evidence: Evidence, numbers: tuple[str, ...]) -> Shown:
    """The evidence for a promise: what there is, or, where there is none or it is asked for, produced now."""
    kept = evidence.get(row.number, row.asked)
    if numbers and row.number not in numbers:
        return kept or Shown(State.NOT_RUN, "", "")
    if kept is not None and not numbers:
        return kept
    click.echo(f"{row.number} {row.promise}", err=True)
    shown = KINDS[row.kind](machine, PLANS[system], row.argument)
    evidence.keep(row.number, row.asked, shown)
    return shown


if __name__ == "__main__":
    main()
