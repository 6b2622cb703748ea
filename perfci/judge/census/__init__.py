"""Compares exact counts of work: differences, their causes, and what may be committed as accepted."""
