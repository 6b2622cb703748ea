"""Compares candidate and reference, series by series: the change, its interval, and the p-values of both directions."""
