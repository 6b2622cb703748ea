"""
What changed along the runs of a scenario.

`index` reduces a run to one row: a value per series, and a digest of what has to be the same before times of two runs
are compared. Pure, like all of the judge.
"""
