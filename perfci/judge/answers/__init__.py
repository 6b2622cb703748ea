"""Compares what both sides were asked, and what kind of answer they gave."""
