"""Candidate against reference, one series at a time: the change, its interval, and the p-values of both directions."""
