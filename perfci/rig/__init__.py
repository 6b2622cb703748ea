"""Starts, feeds and drives the system under test; measures it; leaves nothing running."""
