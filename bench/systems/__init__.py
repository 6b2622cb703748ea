"""
Shows that the five systems keep their promises: `python -m bench.systems` writes `docs/systems.md`.

`rows/` has a line for each promise: its number, the evidence that shows it, and what it says. The evidence is produced
anew by every call: commands are run, their output is searched, and what was found is printed beside the promise.
"""
