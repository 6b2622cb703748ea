"""Measures how good the gate is, and what it costs. Imports perfci; perfci does not import it."""
