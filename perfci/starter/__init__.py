"""
Reads a repository without perfci.toml and writes its first configuration: `perfci.toml`, a Locust file, workflows.

Reading never runs anything of the repository. What a running service shows is asked by `perfci.rig.discovery` and comes
in as a value.
"""
