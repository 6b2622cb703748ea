"""
Reads somebody's repository and writes a first configuration for it: `perfci.toml`, a Locust file, workflows.

Reading never runs anything of the repository. What a running service shows is asked by `perfci.rig.discovery` and comes
in as a value.
"""
