"""Stand-ins for systems that tests must not reach."""
