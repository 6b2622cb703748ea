"""What the rooms of the rig share: processes, Docker, git, leftovers, hosts, sessions and the fingerprint."""
