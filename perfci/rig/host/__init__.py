"""Processes, Docker, git, leftovers, hosts, sessions and the fingerprint, which the other packages of the rig share."""
