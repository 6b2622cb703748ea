"""`python -m bench.systems`: show every promise, and write the page."""

import tempfile
from pathlib import Path

import click

from bench.systems import performance
from bench.systems.evidence import KINDS, State
from bench.systems.machine import Machine
from bench.systems.page import write
from bench.systems.rows import PLANS, read

ROOT = Path(__file__).parents[2]


@click.command()
@click.option("--system", "systems", multiple=True, type=click.Choice(list(PLANS)), help="Only this one, or these.")
@click.option("--scenario", "scenarios", multiple=True, help="Measure only these, such as crm:sustained-smoke.")
@click.option("--tests/--no-tests", "with_tests", default=True, help="Run the tests that are evidence.")
@click.option("--compose/--no-compose", "with_compose", default=False, help="Measure in containers, too.")
@click.option(
    "--page", type=click.Path(path_type=Path), default=ROOT / "docs" / "systems.md", help="The page to write."
)
@click.option("--performance-page", type=click.Path(path_type=Path), help="Write the measured times there.")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Where the runs go, and stay: the next call takes them."
)
def main(  # noqa: PLR0917  # click passes by name
    systems: tuple[str, ...],
    scenarios: tuple[str, ...],
    with_tests: bool,
    with_compose: bool,
    page: Path,
    performance_page: Path | None,
    output: Path | None,
) -> None:
    """Run what shows each promise of the five systems, and write down what it printed."""
    with tempfile.TemporaryDirectory(prefix="systems-") as scratch:
        machine = Machine(
            ROOT, output or Path(scratch), scenarios=scenarios or None, with_tests=with_tests, with_compose=with_compose
        )
        found = {
            system: [(row, KINDS[row.kind](machine, PLANS[system], row.argument)) for row in read(system)]
            for system in systems or PLANS
        }
        if performance_page is not None:
            performance_page.write_text(performance.write(machine.folders), encoding="utf-8")
    page.write_text(write(found), encoding="utf-8")
    states = [shown.state for rows in found.values() for _, shown in rows]
    click.echo(
        f"{len(states)} promises: " + ", ".join(f"{states.count(state)} {state.value.strip('*')}" for state in State)
    )


if __name__ == "__main__":
    main()
