"""
Locust's own program, without the settings files that it would read on its own.

A `locust.conf`, or a table in the project's `pyproject.toml` or the home folder, would change the load behind the
plan's back, and under load only: turns know no such files. Locust has no option that leaves them out.
"""

from locust import argument_parser
from locust import main as program

for function in (argument_parser.get_empty_argument_parser, argument_parser.get_parser):
    function.__defaults__ = tuple(
        () if value == argument_parser.DEFAULT_CONFIG_FILES else value for value in function.__defaults__ or ()
    )

# A file without a user class is a mistake, which Locust would take for a suite of pytest's.
setattr(program, "load_locustfile_pytest", lambda _: {})  # noqa: B010  # Locust does not export it

if __name__ == "__main__":
    program.main()
