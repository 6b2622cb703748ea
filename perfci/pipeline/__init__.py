"""The use cases, one per module; the only room that imports all others."""
