"""Generates load: Locust under load, turns of base and candidate, and the record of every request."""
