"""`perfci import`."""

from pathlib import Path

import click

from perfci.cli.options import config_option
from perfci.cli.output import say


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@config_option
@click.option(
    "--to",
    metavar="baselines|FOLDER",
    default="",
    help="Where: the baselines of the project, each file one accepted run, or the folder of one new run, whose blocks"
    " the files are.  [default: a folder in .perfci/runs]",
)
@click.option("--profile", "name", metavar="PROFILE[:SCENARIO]", default="", help="What the run is called.")
def command(files: tuple[Path, ...], config: Path, to: str, name: str) -> None:
    """
    Turn result files of other tools into a run, or into accepted runs of the baseline.

    The format is found from the content; docs/other-tools.md lists those that perfci reads. Several files are
    replicates of one measurement; the files that Locust writes of one run are one. A file that cannot be read is
    one error with exit code 2, and nothing is written.
    """
    from perfci.pipeline.importing import import_files

    written = import_files(files, to=to, name=name, config_file=config)
    for each in written:
        count = f"{each.files} file{'s' if each.files > 1 else ''}"
        say(f"{each.run.origin.tool}: {count}, {each.requests:,} requests of {each.endpoints} endpoints -> {each.path}")
        for note in each.run.incidents:
            say(f"  {note}")
    if to != "baselines":
        say(f"next: perfci check {written[0].path}, or perfci compare BASE {written[0].path}")
