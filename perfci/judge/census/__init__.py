"""Exact counts of work, candidate against reference: the differences, what caused them, and what may be committed."""
